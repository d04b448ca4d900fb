//! How errors of the rooms below become errors of the service.

use crate::domain::metadata::MetadataTooLong;
use crate::domain::password::PasswordError;
use crate::domain::pkce::ChallengeError;
use crate::error::Error;
use crate::error::refusal::{Refusal, WEBAUTHN_FAILED};
use crate::hashing::HashingError;
use crate::limiter::TooOften;
use crate::store::StoreError;
use crate::webauthn::KeyError;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.into()),
            StoreError::EmailTaken => Self::EmailExists,
            StoreError::PhoneTaken => Self::PhoneExists,
            StoreError::IdTaken => Self::validation("A user with this id already exists"),
            StoreError::Referenced => Self::UserReferenced,
            StoreError::Other(_) => Self::internal(error),
        }
    }
}

impl From<pg::sqlx::Error> for Error {
    fn from(error: pg::sqlx::Error) -> Self {
        Self::from(StoreError::from(error))
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooLong => Self::Unprocessable(error.to_string().into()),
            PasswordError::Weak(weakness) => Self::WeakPassword(weakness),
        }
    }
}

impl From<HashingError> for Error {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::Busy,
            HashingError::Hash(_) | HashingError::Stopped => Self::internal(error),
        }
    }
}

impl From<TooOften> for Error {
    fn from(error: TooOften) -> Self {
        Self::RateLimited(error)
    }
}

impl From<MetadataTooLong> for Error {
    fn from(error: MetadataTooLong) -> Self {
        Self::Unprocessable(error.to_string().into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Answer(_) => WEBAUTHN_FAILED.into(),
            KeyError::Stored(_) => Self::internal(error),
        }
    }
}

impl From<ChallengeError> for Error {
    fn from(error: ChallengeError) -> Self {
        Self::validation(error.to_string())
    }
}
