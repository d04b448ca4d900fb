//! Where objects' bytes are. A backend knows versions only: no buckets, no names, no rights. What
//! a version holds never changes, so nothing here locks.

pub mod file_system;
pub mod s3;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, stream};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::body::BodyError;
use crate::domain::object::{Stored, Version};

/// Bytes on their way in.
pub type Incoming<'a> = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send + 'a>>;

/// Bytes on their way out.
pub enum Outgoing {
    /// All that are left, in memory.
    Whole(Bytes),
    /// As they are read.
    Stream(BoxStream<'static, Result<Bytes, BackendError>>),
}

impl Outgoing {
    /// As the body of an answer.
    pub fn into_body(self) -> Body {
        match self {
            Self::Whole(bytes) => bytes.into(),
            Self::Stream(stream) => Body::from_stream(stream),
        }
    }
}

impl From<Vec<Bytes>> for Outgoing {
    fn from(mut chunks: Vec<Bytes>) -> Self {
        match chunks.len() {
            0 | 1 => Self::Whole(chunks.pop().unwrap_or_default()),
            _ => Self::Stream(stream::iter(chunks.into_iter().map(Ok)).boxed()),
        }
    }
}

impl Stream for Outgoing {
    type Item = Result<Bytes, BackendError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut *self {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
            }
            Self::Stream(stream) => stream.poll_next_unpin(context),
        }
    }
}

/// Bytes that were opened.
pub struct Opened {
    /// The bytes.
    pub bytes: Outgoing,
    /// What tells whether they were touched since, where the store can.
    pub stamp: Option<Stamp>,
}

/// When a version's file was last changed, in every way a file system tells. Equal stamps mean that
/// nobody wrote to it in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Modified, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// Changed, likewise.
    pub changed_ns: i128,
    /// The file's number.
    pub inode: u64,
}

/// Why bytes could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The bytes did not arrive as promised; nothing of them is kept.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// There is no room left; nothing was kept.
    #[error("the object store is full")]
    Full(#[source] std::io::Error),
    /// There are no such bytes.
    #[error("version {0} has no bytes")]
    Missing(Version),
    /// There are not as many bytes as were written.
    #[error("version {version} has {found} bytes of {expected}")]
    Truncated {
        /// The version.
        version: Version,
        /// Bytes there are.
        found: u64,
        /// Bytes there must be, at least.
        expected: u64,
    },
    /// The bytes are not those that were written.
    #[error("the bytes of version {0} are damaged: their SHA-256 is another")]
    Damaged(Version),
    /// The store belongs to another database.
    #[error(
        "the object store at {place} belongs to the database of installation {found}, this one is \
         {expected}: give it a place of its own, or move the old one away"
    )]
    Foreign {
        /// Where the store is.
        place: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: Uuid,
    },
    /// The store failed.
    #[error("the object store failed")]
    Io(#[source] std::io::Error),
    /// The S3 server failed or cannot be reached.
    #[error("the S3 server failed")]
    Remote(#[source] object_store::Error),
    /// The process is shutting down.
    #[error("the object store's work was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl From<std::io::Error> for BackendError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded) {
            Self::Full(error)
        } else {
            Self::Io(error)
        }
    }
}

/// Where objects' bytes are to be.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a directory.
    FileSystem(PathBuf),
    /// On an S3 server.
    S3(s3::S3Settings),
}

impl Place {
    /// The store there, which is `installation`'s or becomes it.
    pub async fn open(&self, installation: Uuid) -> Result<Arc<dyn ObjectStore>, BackendError> {
        let store: Arc<dyn ObjectStore> = match self {
            Self::FileSystem(root) => Arc::new(file_system::FileSystem::open(root).await?),
            Self::S3(settings) => Arc::new(s3::S3::open(settings).await?),
        };
        store.claim(installation).await?;
        Ok(store)
    }
}

/// Keeps immutable bytes by version.
pub trait ObjectStore: Send + Sync + 'static {
    /// Makes sure that what is kept belongs to `installation`; an empty store becomes its.
    fn claim(&self, installation: Uuid) -> BoxFuture<'_, Result<(), BackendError>>;

    /// Keeps `body` as `version`. Once this answers, the bytes survive a power cut; when it fails or
    /// is dropped, nothing is kept.
    fn put<'a>(
        &'a self,
        version: Version,
        body: Incoming<'a>,
    ) -> BoxFuture<'a, Result<Stored, BackendError>>;

    /// `length` bytes of `version` from offset `first` on.
    fn get(
        &self,
        version: Version,
        first: u64,
        length: u64,
    ) -> BoxFuture<'_, Result<Opened, BackendError>>;

    /// Keeps the bytes of `from` also as `to`, as durably as [`ObjectStore::put`].
    fn copy(&self, from: Version, to: Version) -> BoxFuture<'_, Result<(), BackendError>>;

    /// Lets go of `version`; one that is not there is fine.
    fn delete(&self, version: Version) -> BoxFuture<'_, Result<(), BackendError>>;

    /// The versions kept since before `cutoff` whose first byte is `shard`.
    fn list(
        &self,
        shard: u8,
        cutoff: OffsetDateTime,
    ) -> BoxFuture<'_, Result<Vec<Version>, BackendError>>;

    /// Lets go of unfinished uploads that have not grown since `cutoff`; answers how many.
    fn discard_drafts(&self, cutoff: OffsetDateTime) -> BoxFuture<'_, Result<usize, BackendError>>;
}
