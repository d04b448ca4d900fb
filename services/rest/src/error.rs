//! Everything that can go wrong with a request, and how this protocol says it: a status, and
//! `{code, message, details, hint}`.

mod api;
mod cache;
mod database;
mod idempotency;
mod keyset;
pub(crate) mod outage;
mod response;
mod token;
mod transaction;

pub(crate) use api::{ApiError, RangeError};
pub(crate) use cache::{CacheError, MissingFunction};
pub(crate) use database::{DatabaseError, Refusal};
pub(crate) use idempotency::IdempotencyError;
pub(crate) use keyset::KeysetError;
pub(crate) use token::TokenFailure;
pub(crate) use transaction::TransactionError;

use std::io::ErrorKind;

use http::StatusCode;
use serde_json::Value;

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Token(#[from] TokenFailure),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Keyset(#[from] KeysetError),
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// One operation of a transaction failed, and nothing of the transaction lasts.
    #[error("operation {index}")]
    Operation {
        /// Its place in the list, from 0.
        index: usize,
        #[source]
        error: Box<Error>,
    },
    /// The schema cache was never loaded.
    #[error("Could not query the database for the schema cache. Retrying.")]
    NoSchemaCache,
    /// The body is larger than this server takes.
    #[error("The body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The client went away while it sent the body.
    #[error("The body did not arrive")]
    BodyLost,
    /// No row that the caller may see has the identifier.
    #[error("No row is '{0}'")]
    NoRow(String),
    /// Administration is not open to the caller.
    #[error("Only administration may do this")]
    AdminOnly {
        /// Whether the caller is more than anonymous.
        authenticated: bool,
    },
    /// A large answer could not be kept aside.
    #[error("an answer could not be kept in a file")]
    Spool(#[from] std::io::Error),
    /// The answer of Postgres does not have the shape its statement has.
    #[error("Postgres answered in an unexpected shape: {0}")]
    Shape(&'static str),
}

impl Error {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Api(error) => error.status(),
            Self::Cache(error) => error.status(),
            Self::Token(error) => error.status(),
            Self::Database(error) => error.status(),
            Self::Idempotency(error) => error.status(),
            Self::Transaction(error) => error.status(),
            Self::Operation { error, .. } => error.status(),
            Self::NoSchemaCache => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoRow(_) => StatusCode::NOT_FOUND,
            Self::Keyset(_) | Self::BodyLost => StatusCode::BAD_REQUEST,
            Self::AdminOnly {
                authenticated: true,
            } => StatusCode::FORBIDDEN,
            Self::AdminOnly {
                authenticated: false,
            } => StatusCode::UNAUTHORIZED,
            Self::Spool(error) if error.kind() == ErrorKind::StorageFull => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            Self::Shape(_) | Self::Spool(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// `PGRSTnnn`, or the SQLSTATE.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Api(error) => error.code(),
            Self::Cache(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::Idempotency(error) => error.code(),
            Self::Keyset(error) => error.code(),
            Self::Transaction(error) => error.code(),
            Self::Operation { error, .. } => error.code(),
            Self::NoSchemaCache => "PGRST002",
            Self::BodyTooLarge(_) | Self::BodyLost => "PGRST102",
            Self::NoRow(_) => "SDB400",
            Self::AdminOnly { .. } => pg::sqlstate::INSUFFICIENT_PRIVILEGE,
            Self::Shape(_) | Self::Spool(_) => "PGRSTX00",
        }
    }

    /// What the client is told; faults of ours are not spelt out.
    pub(crate) fn public_message(&self) -> String {
        match self {
            Self::Shape(_) | Self::Spool(_) => "Internal error".to_owned(),
            Self::Database(error) => error.message(),
            Self::Operation { error, .. } => error.public_message(),
            Self::Api(_)
            | Self::Cache(_)
            | Self::Token(_)
            | Self::Idempotency(_)
            | Self::Keyset(_)
            | Self::Transaction(_)
            | Self::NoSchemaCache
            | Self::BodyTooLarge(_)
            | Self::BodyLost
            | Self::NoRow(_)
            | Self::AdminOnly { .. } => self.to_string(),
        }
    }

    /// More about it.
    pub(crate) fn details(&self) -> Option<Value> {
        match self {
            Self::Api(error) => error.details().map(Value::from),
            Self::Cache(error) => error.details(),
            Self::Database(error) => error.details().map(Value::from),
            Self::Operation { error, .. } => error.details(),
            Self::Token(error) => error.details().map(Value::from),
            Self::Idempotency(_)
            | Self::Keyset(_)
            | Self::Transaction(_)
            | Self::NoSchemaCache
            | Self::BodyTooLarge(_)
            | Self::BodyLost
            | Self::NoRow(_)
            | Self::AdminOnly { .. }
            | Self::Shape(_)
            | Self::Spool(_) => None,
        }
    }

    /// What would help.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Cache(error) => error.hint(),
            Self::Database(error) => error.hint(),
            Self::Idempotency(error) => error.hint(),
            Self::Keyset(error) => error.hint(),
            Self::Transaction(error) => error.hint(),
            Self::Operation { error, .. } => error.hint(),
            Self::Token(_)
            | Self::NoSchemaCache
            | Self::BodyTooLarge(_)
            | Self::BodyLost
            | Self::NoRow(_)
            | Self::AdminOnly { .. }
            | Self::Shape(_)
            | Self::Spool(_) => None,
        }
    }
}
