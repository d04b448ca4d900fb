//! The path of an upload: what can be refused is refused before its bytes are read; the bytes are
//! durable before the row that refers to them; and the row is written in the caller's role.

pub mod pending;
mod segments;

use std::sync::Arc;

use common::{Clock, Randomness};
use pg::pipeline::{Batch, Decision, Outcome, PipelineError, ResultSet};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::authoriser::Authoriser;
use crate::backend::{Incoming, ObjectStore};
use crate::caller::Caller;
use crate::domain::bucket::Bucket;
use crate::domain::object::{
    NewObject, ObjectId, ObjectMetadata, Overwrite, Stored, Version, timestamp,
};
use crate::error::Error;
use crate::store;
use crate::store::buckets::Destination;
use crate::store::objects::Content;

/// Takes uploads.
#[derive(Clone)]
pub struct Uploads {
    authoriser: Authoriser,
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    size_limit: u64,
    discarded: Arc<Notify>,
}

/// What somebody wants to upload.
#[derive(Debug, Clone)]
pub struct Intent {
    /// On whose behalf.
    pub caller: Caller,
    /// What it is to become.
    pub object: NewObject,
    /// Whether it may replace another.
    pub overwrite: Overwrite,
    /// How many bytes the request announces; a form has a few more than its file.
    pub announced_size: Option<u64>,
    /// The entity tag, with quotes, that the object it replaces must have.
    pub expected_etag: Option<String>,
}

/// Bytes that are kept, and not yet an object's.
#[derive(Debug, Clone)]
pub struct Received {
    version: Version,
    stored: Stored,
    /// The entity tag with quotes, where it is not the MD5 of the bytes.
    etag: Option<String>,
}

impl Received {
    /// What the store says of the bytes.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }
}

/// What becomes of bytes whose row Postgres refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// They go.
    Discard,
    /// They stay: a pending upload still refers to them.
    Keep,
}

/// What is copied.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its bytes.
    pub version: Version,
    /// What the copy says of them.
    pub metadata: ObjectMetadata,
    /// Their SHA-256.
    pub sha256: Option<[u8; 32]>,
}

/// What [`Uploads`] works with.
pub struct UploadParts {
    /// Who may write where.
    pub authoriser: Authoriser,
    /// Where the bytes go.
    pub objects: Arc<dyn ObjectStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For ids and versions.
    pub randomness: Arc<dyn Randomness>,
    /// The largest object, in bytes, whatever its bucket takes.
    pub size_limit: u64,
    /// Told when a version may have been discarded.
    pub discarded: Arc<Notify>,
}

impl Uploads {
    /// Uploads with `parts`.
    pub fn new(parts: UploadParts) -> Self {
        let UploadParts {
            authoriser,
            objects,
            clock,
            randomness,
            size_limit,
            discarded,
        } = parts;
        Self {
            authoriser,
            objects,
            clock,
            randomness,
            size_limit,
            discarded,
        }
    }

    /// An id nothing else has.
    pub fn new_id(&self) -> ObjectId {
        ObjectId(self.randomness.uuid())
    }

    /// Now.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Refuses what can be refused before any byte is read; answers how many bytes there may be.
    pub async fn admit(&self, intent: &Intent) -> Result<u64, Error> {
        if intent.caller.is_service() {
            // Row-level security does not bind it, so there is no row to be tried.
            let destination = self.destination(intent).await?;
            let limit = self.limit(&destination.bucket, &intent.object)?;
            check_name(intent, destination.taken_by.as_deref())?;
            return Ok(limit);
        }
        let bucket = self.authoriser.limits_of(&intent.object.bucket);
        let (bucket, tried) = Box::pin(async { tokio::join!(bucket, self.try_row(intent)) }).await;
        let limit = self.limit(&bucket?, &intent.object)?;
        tried?;
        Ok(limit)
    }

    async fn destination(&self, intent: &Intent) -> Result<Destination, Error> {
        let object = &intent.object;
        let found = self.authoriser.destination(&object.bucket, &object.key);
        found.await
    }

    /// How many bytes `object` may have in `bucket`, where that takes its kind.
    fn limit(&self, bucket: &Bucket, object: &NewObject) -> Result<u64, Error> {
        if object.key.is_folder_placeholder() {
            return Ok(0);
        }
        bucket.check_mime(&object.mime)?;
        Ok(bucket.size_limit(self.size_limit))
    }

    /// Keeps the bytes.
    pub async fn receive(&self, body: Incoming<'_>) -> Result<Received, Error> {
        let version = Version(self.randomness.uuid());
        let stored = self.objects.put(version, body).await?;
        Ok(Received {
            version,
            stored,
            etag: None,
        })
    }

    /// Makes the bytes an object; answers its id.
    pub async fn commit(&self, intent: &Intent, received: Received) -> Result<ObjectId, Error> {
        let content = self.content(intent, &received);
        self.write_row(intent, content, Refused::Discard).await
    }

    /// As [`Uploads::commit`], of bytes that a pending upload refers to.
    async fn commit_kept(&self, intent: &Intent, received: Received) -> Result<ObjectId, Error> {
        let content = self.content(intent, &received);
        self.write_row(intent, content, Refused::Keep).await
    }

    fn content(&self, intent: &Intent, received: &Received) -> Content {
        Content {
            version: Some(received.version),
            metadata: self.metadata(&intent.object, received),
            sha256: Some(received.stored.sha256),
        }
    }

    /// Lets go of bytes that will not become an object.
    pub async fn abandon(&self, received: Received) {
        self.discard(received.version).await;
    }

    /// Makes a copy of `source`'s bytes an object; answers its id.
    pub async fn copy(&self, intent: &Intent, source: Source) -> Result<ObjectId, Error> {
        self.try_row(intent).await?;
        let version = Version(self.randomness.uuid());
        self.objects.copy(source.version, version).await?;
        let metadata = ObjectMetadata {
            last_modified: timestamp(self.clock.now()),
            ..source.metadata
        };
        let content = Content {
            version: Some(version),
            metadata: json!(metadata),
            sha256: source.sha256,
        };
        self.write_row(intent, content, Refused::Discard).await
    }

    /// Writes the row.
    async fn write_row(
        &self,
        intent: &Intent,
        content: Content,
        refused: Refused,
    ) -> Result<ObjectId, Error> {
        match self.written(intent, &content, Decision::Commit).await {
            Ok(id) => {
                self.discarded.notify_one();
                Ok(id)
            }
            Err(error) => {
                if refused == Refused::Discard
                    && !error.may_have_been_done
                    && let Some(version) = content.version
                {
                    self.discard(version).await;
                }
                Err(error.error)
            }
        }
    }

    /// Writes the row in the caller's role, and keeps or undoes it as `decision` says.
    async fn written(
        &self,
        intent: &Intent,
        content: &Content,
        decision: Decision,
    ) -> Result<ObjectId, NotWritten> {
        let pipeline = self.authoriser.writes_of(&intent.caller);
        let context = intent.caller.context();
        let object = &intent.object;
        let write = store::objects::write(object, content, intent.overwrite);
        let lock = intent.expected_etag.is_some();
        let lock = lock.then(|| store::objects::lock_etag(&object.bucket, &object.key));
        let is_looked_at = lock.is_some() || decision == Decision::Rollback;
        let batch = Batch {
            statements: lock.into_iter().chain([write]).collect(),
            ..Batch::read_write()
        };
        let results = if is_looked_at {
            let decide = |results: &[ResultSet]| match has_expected_etag(intent, results) {
                Ok(()) => decision,
                Err(_) => Decision::Rollback,
            };
            let checked = Box::pin(pipeline.run_checked(context, &batch, decide)).await?;
            has_expected_etag(intent, &checked.results)?;
            checked.results
        } else {
            Box::pin(pipeline.run(context, &batch)).await?
        };
        let written = results.last();
        Ok(written.map_or(object.id, |result| {
            store::objects::written_id(object, result)
        }))
    }

    async fn discard(&self, version: Version) {
        if let Err(error) = self.objects.delete(version).await {
            tracing::warn!(%version, %error, "bytes of a refused upload are left to the sweeper");
        }
    }

    /// Tries whether the row may be written, and undoes it.
    pub async fn try_row(&self, intent: &Intent) -> Result<(), Error> {
        let content = Content {
            metadata: expected_metadata(intent),
            ..Content::default()
        };
        let tried = self.written(intent, &content, Decision::Rollback).await;
        tried.map(drop).map_err(|error| error.error)
    }

    fn metadata(&self, object: &NewObject, received: &Received) -> Value {
        let stored = &received.stored;
        let metadata = ObjectMetadata {
            etag: received.etag.clone().unwrap_or_else(|| stored.etag()),
            size: stored.size,
            mimetype: object.mime.as_str().to_owned(),
            cache_control: object.cache_control.clone(),
            last_modified: timestamp(self.clock.now()),
            content_length: stored.size,
            http_status_code: 200,
        };
        json!(metadata)
    }
}

/// Why a row was not written.
struct NotWritten {
    error: Error,
    /// Whether it may be there all the same: the answer to the commit did not arrive. Then the
    /// bytes stay, and the sweeper looks whether anything refers to them.
    may_have_been_done: bool,
}

impl From<Error> for NotWritten {
    fn from(error: Error) -> Self {
        Self {
            error,
            may_have_been_done: false,
        }
    }
}

impl From<PipelineError> for NotWritten {
    fn from(error: PipelineError) -> Self {
        let may_have_been_done = error.outcome() == Outcome::Unknown;
        Self {
            error: error.into(),
            may_have_been_done,
        }
    }
}

/// Whether the object that is replaced has the entity tag it must have, where one was asked for.
fn has_expected_etag(intent: &Intent, results: &[ResultSet]) -> Result<(), Error> {
    let Some(expected) = &intent.expected_etag else {
        return Ok(());
    };
    let current = results.first().and_then(store::objects::locked_etag);
    check_etag(expected, &current.ok_or(Error::NoSuchKey)?)
}

fn check_etag(expected: &str, current: &str) -> Result<(), Error> {
    if current == expected {
        Ok(())
    } else {
        Err(Error::PreconditionFailed)
    }
}

/// Whether what has the name already, `taken_by` its entity tag, is what `intent` means to replace.
fn check_name(intent: &Intent, taken_by: Option<&str>) -> Result<(), Error> {
    if let Some(expected) = &intent.expected_etag {
        return check_etag(expected, taken_by.ok_or(Error::NoSuchKey)?);
    }
    if intent.overwrite == Overwrite::Refuse && taken_by.is_some() {
        return Err(Error::KeyAlreadyExists);
    }
    Ok(())
}

/// What is known of an object before its bytes are, for policies that look at it.
fn expected_metadata(intent: &Intent) -> Value {
    json!({
        "size": intent.announced_size,
        "contentLength": intent.announced_size,
        "mimetype": intent.object.mime.as_str(),
        "cacheControl": intent.object.cache_control,
    })
}
