//! The path of an upload: what can be refused is refused before its bytes are read; the bytes are
//! durable before the row that refers to them; and the row is written in the caller's role.

pub mod pending;
mod segments;

use std::sync::Arc;

use common::{Clock, Randomness};
use pg::sqlx::{Postgres, Transaction};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::authoriser::Authoriser;
use crate::backend::{Incoming, ObjectStore};
use crate::caller::Caller;
use crate::domain::object::{
    NewObject, ObjectId, ObjectMetadata, Overwrite, Stored, Version, timestamp,
};
use crate::error::Error;
use crate::store;
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
        let bucket = self.authoriser.limits_of(&intent.object.bucket).await?;
        let placeholder = intent.object.key.is_folder_placeholder();
        if !placeholder {
            bucket.check_mime(&intent.object.mime)?;
        }
        let limit = if placeholder {
            0
        } else {
            bucket.size_limit(self.size_limit)
        };
        self.try_row(intent).await?;
        Ok(limit)
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
        match self.written(intent, &content).await {
            Ok((transaction, id)) => {
                // When this fails nobody knows whether it was done: the bytes stay, and the
                // sweeper looks whether anything refers to them.
                transaction.commit().await?;
                self.discarded.notify_one();
                Ok(id)
            }
            Err(error) => {
                if refused == Refused::Discard
                    && let Some(version) = content.version
                {
                    self.discard(version).await;
                }
                Err(error)
            }
        }
    }

    async fn written(
        &self,
        intent: &Intent,
        content: &Content,
    ) -> Result<(Transaction<'static, Postgres>, ObjectId), Error> {
        let mut transaction = self.authoriser.begin(&intent.caller).await?;
        let (object, overwrite) = (&intent.object, intent.overwrite);
        if let Some(expected) = &intent.expected_etag {
            let current = store::objects::lock_etag(&mut transaction, &object.bucket, &object.key);
            let current = current.await?.ok_or(Error::NoSuchKey)?;
            if current.as_deref() != Some(expected) {
                return Err(Error::PreconditionFailed);
            }
        }
        let id = store::objects::write(&mut transaction, object, content, overwrite).await?;
        Ok((transaction, id))
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
        let (transaction, _) = self.written(intent, &content).await?;
        Ok(transaction.rollback().await?)
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

/// What is known of an object before its bytes are, for policies that look at it.
fn expected_metadata(intent: &Intent) -> Value {
    json!({
        "size": intent.announced_size,
        "contentLength": intent.announced_size,
        "mimetype": intent.object.mime.as_str(),
        "cacheControl": intent.object.cache_control,
    })
}
