//! Why a token is refused, in the words of the protocol's documentation.

/// Why a token is refused. All of them are a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than a request's headers may be.
    #[error("JWT cryptographic operation failed")]
    TooLong,
    /// Not three parts.
    #[error("Expected 3 parts in JWT; got {0}")]
    Parts(usize),
    /// No key has the token's `kid`, or one of the algorithm and none verifies it.
    #[error("No suitable key or wrong key type")]
    NoKey,
    /// `alg: none`.
    #[error("Wrong or unsupported encoding algorithm")]
    Unsecured,
    /// An algorithm that is not known.
    #[error("Wrong or unsupported encoding algorithm")]
    Algorithm,
    /// Parts that are no base64url, or a header that is no JSON or asks for an extension.
    #[error("JWT cryptographic operation failed")]
    Malformed,
    /// The payload is no JSON object, or has a key twice.
    #[error("Parsing claims failed")]
    Claims,
    /// The named time is no number.
    #[error("The JWT '{0}' claim must be a number")]
    NotNumber(&'static str),
    /// `aud` is neither a string nor a list of strings.
    #[error("The JWT 'aud' claim must be a string or an array of strings")]
    AudienceType,
    /// Past its `exp`.
    #[error("JWT expired")]
    Expired,
    /// Before its `nbf`.
    #[error("JWT not yet valid")]
    NotYetValid,
    /// Before its `iat`.
    #[error("JWT issued at future")]
    IssuedInFuture,
    /// For somebody else.
    #[error("JWT not in audience")]
    NotInAudience,
    /// It names no role, and there is none for nobody in particular.
    #[error("Anonymous access is disabled")]
    NoRole,
}

impl Refusal {
    /// More about it.
    pub fn details(self) -> Option<&'static str> {
        match self {
            Self::NoKey => Some("None of the keys was able to decode the JWT"),
            Self::Unsecured => Some("JWT is unsecured but expected 'alg' was not 'none'"),
            Self::TooLong
            | Self::Parts(_)
            | Self::Algorithm
            | Self::Malformed
            | Self::Claims
            | Self::NotNumber(_)
            | Self::AudienceType
            | Self::Expired
            | Self::NotYetValid
            | Self::IssuedInFuture
            | Self::NotInAudience
            | Self::NoRole => None,
        }
    }

    /// Whether the token was believed and only its claims are not acceptable.
    pub fn is_of_claims(self) -> bool {
        match self {
            Self::Claims
            | Self::NotNumber(_)
            | Self::AudienceType
            | Self::Expired
            | Self::NotYetValid
            | Self::IssuedInFuture
            | Self::NotInAudience => true,
            Self::TooLong
            | Self::Parts(_)
            | Self::NoKey
            | Self::Unsecured
            | Self::Algorithm
            | Self::Malformed
            | Self::NoRole => false,
        }
    }
}
