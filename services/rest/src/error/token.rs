//! Bearers that are not believed: `PGRST3xx`.

use http::StatusCode;
use jwt::postgrest::Refusal;
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
    /// Refused by the operator's rules.
    #[error(transparent)]
    Operator(Refusal),
    /// There is no key that tokens could be verified with.
    #[error("Server lacks JWT secret")]
    NoSecret,
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

impl From<Refusal> for TokenFailure {
    fn from(refusal: Refusal) -> Self {
        if refusal == Refusal::NoRole {
            Self::Required
        } else {
            Self::Operator(refusal)
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
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NoSecret => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Empty
            | Self::Required
            | Self::Undecodable(_)
            | Self::Claims(_)
            | Self::Operator(_) => StatusCode::UNAUTHORIZED,
        }
    }

    pub(crate) fn details(self) -> Option<&'static str> {
        match self {
            Self::Operator(refusal) => refusal.details(),
            Self::Empty
            | Self::Required
            | Self::Undecodable(_)
            | Self::Claims(_)
            | Self::NoSecret => None,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoSecret => "PGRST300",
            Self::Operator(refusal) if refusal.is_of_claims() => "PGRST303",
            Self::Empty | Self::Undecodable(_) | Self::Operator(_) => "PGRST301",
            Self::Required => "PGRST302",
            Self::Claims(_) => "PGRST303",
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3).
    pub(crate) fn challenge(self) -> String {
        match self {
            Self::Required | Self::NoSecret => "Bearer".to_owned(),
            Self::Empty | Self::Undecodable(_) | Self::Claims(_) | Self::Operator(_) => {
                format!("Bearer error=\"invalid_token\", error_description=\"{self}\"")
            }
        }
    }
}
