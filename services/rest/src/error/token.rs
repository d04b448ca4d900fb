//! Bearers that are not believed: `PGRST3xx`.

use http::StatusCode;
use jwt::{BearerError, TokenError};

/// Why a bearer token gives nobody's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFailure {
    #[error("Empty JWT is sent in Authorization header")]
    Empty,
    #[error("Anonymous access is disabled")]
    Required,
    #[error("{}", undecodable(.0))]
    Undecodable(TokenError),
    #[error("{}", unacceptable(.0))]
    Claims(TokenError),
}

fn undecodable(error: &TokenError) -> &'static str {
    match error {
        TokenError::TooLong | TokenError::Malformed => "Expected 3 parts in JWT",
        TokenError::Header => "Wrong or unsupported encoding algorithm",
        TokenError::UnknownKey => "No suitable key or wrong key type",
        TokenError::Signature => "JWT cryptographic operation failed",
        TokenError::Claim(_) | TokenError::Expired | TokenError::NotYetValid => unacceptable(error),
    }
}

fn unacceptable(error: &TokenError) -> &'static str {
    match error {
        TokenError::Expired => "JWT expired",
        TokenError::NotYetValid => "JWT not yet valid",
        TokenError::Claim("aud") => "JWT not in audience",
        TokenError::Claim(_)
        | TokenError::TooLong
        | TokenError::Malformed
        | TokenError::Header
        | TokenError::UnknownKey
        | TokenError::Signature => "Parsing claims failed",
    }
}

impl From<TokenError> for TokenFailure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Claim(_) | TokenError::Expired | TokenError::NotYetValid => {
                Self::Claims(error)
            }
            TokenError::TooLong
            | TokenError::Malformed
            | TokenError::Header
            | TokenError::UnknownKey
            | TokenError::Signature => Self::Undecodable(error),
        }
    }
}

impl From<BearerError> for TokenFailure {
    fn from(error: BearerError) -> Self {
        match error {
            BearerError::Malformed => Self::Empty,
            BearerError::Repeated | BearerError::OtherScheme => {
                Self::Undecodable(TokenError::Malformed)
            }
        }
    }
}

impl TokenFailure {
    #[expect(clippy::unused_self, reason = "every kind of error answers this")]
    pub(crate) fn status(self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Empty | Self::Undecodable(_) => "PGRST301",
            Self::Required => "PGRST302",
            Self::Claims(_) => "PGRST303",
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3).
    pub(crate) fn challenge(self) -> String {
        match self {
            Self::Required => "Bearer".to_owned(),
            Self::Empty | Self::Undecodable(_) | Self::Claims(_) => {
                format!("Bearer error=\"invalid_token\", error_description=\"{self}\"")
            }
        }
    }
}
