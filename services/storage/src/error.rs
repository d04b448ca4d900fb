//! What can go wrong, and how each dialect says it.
//!
//! Supabase's clients are answered 400 with the real status in the body's `statusCode`, as its
//! server does; only what clients must tell apart by the status keeps its own. `/api/v1` answers
//! with the real status.

mod dialect;

pub(crate) use dialect::in_selfdb_dialect;

use std::sync::Arc;

use pg::pipeline::PipelineError;
use pg::sqlx;

use crate::backend::BackendError;
use crate::body::BodyError;
use crate::domain::image::ImageError;
use crate::domain::key::{InvalidBucketName, InvalidKey};
use crate::domain::mime::UnsupportedMimeType;
use crate::domain::signature::SignatureError;
use crate::domain::size::InvalidSize;
use crate::domain::user_metadata::InvalidUserMetadata;

/// What a client of Postgres says of it; shared by requests that asked together.
type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a request is refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name no object can have.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
    /// A name no bucket can have.
    #[error(transparent)]
    InvalidBucketName(#[from] InvalidBucketName),
    /// No such bucket, or none that this caller may see.
    #[error("Bucket not found")]
    NoSuchBucket,
    /// No such object, or none that this caller may see.
    #[error("Object not found")]
    NoSuchKey,
    /// An object of that name exists and was not to be replaced.
    #[error("The resource already exists")]
    KeyAlreadyExists,
    /// No such upload in parts, or none of this caller's.
    #[error("The upload does not exist")]
    NoSuchUpload,
    /// An upload in parts that was given up.
    #[error("The upload has expired")]
    UploadExpired,
    /// The bytes are not those the client meant.
    #[error("The checksum of the bytes is not the one that was sent with them")]
    BadDigest,
    /// An image that cannot be rendered, or not as wanted.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A bucket of that name exists.
    #[error("The resource already exists")]
    BucketAlreadyExists,
    /// Only empty buckets can be deleted.
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    /// No token where one is needed.
    #[error("headers must have required property 'authorization'")]
    MissingToken,
    /// A token that is not ours, or no longer.
    #[error("{0}")]
    InvalidToken(String),
    /// Row-level security or a missing privilege says no.
    #[error("{0}")]
    AccessDenied(&'static str),
    /// A signed URL that does not open this.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// More bytes than the bucket or the platform takes.
    #[error("The object exceeded the maximum allowed size")]
    EntityTooLarge,
    /// A media type the bucket does not take.
    #[error(transparent)]
    UnsupportedMimeType(#[from] UnsupportedMimeType),
    /// A range that begins after the object's end; its size in bytes.
    #[error("invalid range provided")]
    InvalidRange(u64),
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    #[error("At least one of the preconditions you specified did not hold")]
    PreconditionFailed,
    /// A parameter, header or body that cannot be read.
    #[error("{0}")]
    InvalidRequest(String),
    /// A form without a file.
    #[error("No content provided")]
    NoContent,
    /// The body did not arrive as announced.
    #[error("the upload was not completed: {0}")]
    Incomplete(BodyError),
    /// No room for more bytes.
    #[error("there is no space left to keep the object")]
    StorageFull(#[source] BackendError),
    /// Postgres is away for a moment.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Cause),
    /// A statement took longer than it may.
    #[error("The connection to the database timed out")]
    DatabaseTimeout,
    /// Another request holds the object.
    #[error("The resource is locked")]
    Locked,
    /// The object store failed.
    #[error("the object store failed")]
    Backend(#[source] BackendError),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[source] Cause),
}

impl From<InvalidSize> for Error {
    fn from(error: InvalidSize) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

impl From<InvalidUserMetadata> for Error {
    fn from(error: InvalidUserMetadata) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::EntityTooLarge,
            BodyError::Incomplete(_) | BodyError::Malformed(_) => Self::Incomplete(error),
            BodyError::Unreadable(_) => Self::Backend(BackendError::Body(error)),
        }
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Body(error) => error.into(),
            BackendError::Full(_) => Self::StorageFull(error),
            BackendError::Missing(_)
            | BackendError::Truncated { .. }
            | BackendError::Damaged(_)
            | BackendError::Remote(_)
            | BackendError::Foreign { .. }
            | BackendError::Io(_)
            | BackendError::Interrupted(_) => Self::Backend(error),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<sqlx::Error>> for Error {
    fn from(error: Arc<sqlx::Error>) -> Self {
        if pg::is_unavailable(&error) {
            return Self::Unavailable(error);
        }
        let known = error.as_database_error().and_then(|database| {
            Self::refused(
                &database.code().unwrap_or_default(),
                database.table(),
                database.message(),
            )
        });
        known.unwrap_or(Self::Database(error))
    }
}

impl From<PipelineError> for Error {
    fn from(error: PipelineError) -> Self {
        let known = match &error {
            PipelineError::Database(database) => {
                Self::refused(&database.code, database.table.as_deref(), &database.message)
            }
            PipelineError::Deadline { .. } => Some(Self::DatabaseTimeout),
            PipelineError::Invalid(_) => Some(Self::unacceptable()),
            PipelineError::Unavailable { .. } | PipelineError::Busy => {
                return Self::Unavailable(Arc::new(error));
            }
        };
        known.unwrap_or_else(|| Self::Database(Arc::new(error)))
    }
}

impl Error {
    /// What it means to a client that Postgres refuses with this SQLSTATE, about this table, in
    /// these words; `None` where it is no fault of the client's.
    fn refused(code: &str, table: Option<&str>, message: &str) -> Option<Self> {
        let of_buckets = table == Some("buckets");
        let by_policy = message.contains("row-level security");
        Some(match code {
            "42501" if by_policy => {
                Self::AccessDenied("new row violates row-level security policy")
            }
            "42501" => Self::AccessDenied("permission denied"),
            "22023" | "0P000" => Self::AccessDenied("the token's role is not accepted"),
            "23505" if of_buckets => Self::BucketAlreadyExists,
            "23505" => Self::KeyAlreadyExists,
            "23503" => Self::NoSuchBucket,
            "57014" => Self::DatabaseTimeout,
            "55P03" | "40001" | "40P01" => Self::Locked,
            "22P02" | "22P05" | "22021" | "22003" | "23514" | "P0001" => Self::unacceptable(),
            _ => return None,
        })
    }

    fn unacceptable() -> Self {
        Self::InvalidRequest("the database does not accept a value".to_owned())
    }
}
