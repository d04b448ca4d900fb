//! Who may call: a valid token, where a function wants one. Any valid token will do, an API key's
//! too; what its bearer may do is the function's to decide.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jwt::{BearerError, Identity, TokenError, Verifier};
use serde::Deserialize;

/// Why a caller is refused, as Supabase's platform tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unauthorized {
    #[error("Missing authorization header")]
    NoHeader,
    #[error("Auth header is not 'Bearer {{token}}'")]
    HeaderFormat,
    #[error("Invalid JWT")]
    TokenFormat,
    #[error("Unsupported JWT algorithm {0}")]
    Algorithm(String),
    /// HS256, and not valid.
    #[error("Invalid JWT")]
    Symmetric,
    /// ES256 or RS256, and not valid.
    #[error("Invalid JWT")]
    Asymmetric,
}

/// Who sent a request with `headers`.
pub(crate) fn identify(
    verifier: &Verifier,
    headers: &HeaderMap,
) -> Result<Arc<Identity>, Unauthorized> {
    let token = match jwt::bearer(headers) {
        Ok(Some(token)) => token,
        Ok(None) => return Err(Unauthorized::NoHeader),
        Err(BearerError::Repeated | BearerError::OtherScheme | BearerError::Malformed) => {
            return Err(Unauthorized::HeaderFormat);
        }
    };
    verifier.verify(token).map_err(|error| match error {
        TokenError::TooLong | TokenError::Malformed => Unauthorized::TokenFormat,
        TokenError::Header
        | TokenError::UnknownKey
        | TokenError::Signature
        | TokenError::Claim(_)
        | TokenError::Expired
        | TokenError::NotYetValid => by_algorithm(token),
    })
}

/// The refusal of a token that was read and is not valid.
fn by_algorithm(token: &str) -> Unauthorized {
    match algorithm(token).as_deref() {
        Some("HS256") => Unauthorized::Symmetric,
        Some("ES256" | "RS256") => Unauthorized::Asymmetric,
        Some(other) => Unauthorized::Algorithm(shown(other)),
        None => Unauthorized::TokenFormat,
    }
}

fn algorithm(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
    }
    let (header, _) = token.split_once('.')?;
    let json = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: Header = serde_json::from_slice(&json).ok()?;
    Some(header.alg)
}

/// A client's word, short and plain enough to be repeated to it.
fn shown(algorithm: &str) -> String {
    let plain = algorithm.chars().filter(char::is_ascii_alphanumeric);
    plain.take(16).collect()
}
