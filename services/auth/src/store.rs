//! All SQL of the service. Rows become domain types here and nowhere else.

pub mod audit;
pub mod factors;
pub mod flow_states;
pub mod identities;
pub mod one_time_tokens;
pub mod passkeys;
pub mod refresh_tokens;
pub mod sessions;
pub mod users;

mod user_row;

use pg::sqlx;
use pg::sqlx::error::DatabaseError;

/// The constraint that keeps one account per e-mail address.
const EMAIL_KEY: &str = "users_email_partial_key";
/// The constraint that keeps one account per phone number.
const PHONE_KEY: &str = "users_phone_key";
/// The constraint that keeps one account per id.
const ID_KEY: &str = "users_pkey";

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres is away or restarting, or no connection is free.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// Another user has the e-mail address.
    #[error("another user has the e-mail address")]
    EmailTaken,
    /// Another user has the phone number.
    #[error("another user has the phone number")]
    PhoneTaken,
    /// Another user has the id.
    #[error("another user has the id")]
    IdTaken,
    /// Rows of others refer to the row.
    #[error("other rows refer to the row")]
    Referenced,
    /// Anything else: a mistake of ours, or of a trigger that users put on our tables.
    #[error("the database refused a statement")]
    Other(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if pg::is_unavailable(&error) {
            return Self::Unavailable(error);
        }
        let database_error = error.as_database_error();
        if database_error.is_some_and(DatabaseError::is_foreign_key_violation) {
            return Self::Referenced;
        }
        match database_error.and_then(|error| error.constraint()) {
            Some(EMAIL_KEY) => Self::EmailTaken,
            Some(PHONE_KEY) => Self::PhoneTaken,
            Some(ID_KEY) => Self::IdTaken,
            Some(_) | None => Self::Other(error),
        }
    }
}

/// What store functions answer.
pub type StoreResult<T> = Result<T, StoreError>;
