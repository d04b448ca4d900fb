//! Who signs. The key pair of the S3 protocol acts as the service; anything else is signed with the
//! anon key, which everybody has, and acts as whom the session token beside it proves.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, Uri};
use jwt::Verifier;
use percent_encoding::percent_decode_str;
use s3s::{S3Error, s3_error};

use crate::caller::Caller;
use crate::domain::s3_keys::S3Keys;

/// Tells whom a request acts for.
#[derive(Clone)]
pub(crate) struct Identities {
    keys: Arc<S3Keys>,
    verifier: Arc<Verifier>,
}

impl Identities {
    pub(crate) fn new(keys: Arc<S3Keys>, verifier: Arc<Verifier>) -> Self {
        Self { keys, verifier }
    }

    pub(super) fn keys(&self) -> Arc<S3Keys> {
        Arc::clone(&self.keys)
    }

    /// Whom a request acts for that was signed with the secret of `access_key`.
    pub(super) fn caller(
        &self,
        access_key: &str,
        session_token: Option<&str>,
        target: (&Method, &str),
    ) -> Result<Caller, S3Error> {
        match session_token {
            Some(token) => {
                let verified = self.verifier.verify(token);
                let identity = verified
                    .map_err(|_| s3_error!(InvalidToken, "the session token is not valid"))?;
                Ok(Caller::of(&identity, target.0.as_str(), target.1))
            }
            None if access_key == self.keys.access_key_id => Ok(Caller::platform(None)),
            None => Err(s3_error!(AccessDenied, "a session token is needed")),
        }
    }
}

/// What `access_key` signs with.
pub(super) fn secret(keys: &S3Keys, access_key: &str) -> String {
    let secret = if access_key == keys.access_key_id {
        &keys.secret_access_key
    } else {
        &keys.session_secret
    };
    secret.expose().to_owned()
}

/// The session token, in the header or, of presigned URLs, in the query.
pub(super) fn session_token(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if let Some(value) = headers.get("x-amz-security-token") {
        return Some(value.to_str().unwrap_or_default().to_owned());
    }
    let pairs = uri.query()?.split('&');
    let mut values = pairs.filter_map(|pair| pair.strip_prefix("X-Amz-Security-Token="));
    let decoded = percent_decode_str(values.next()?).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
