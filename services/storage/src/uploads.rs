//! The path of an upload: what can be refused is refused before its bytes are read; the bytes are
//! durable before the row that refers to them; and the row is written in the caller's role.

use std::sync::Arc;

use common::{Clock, Randomness};
use pg::sqlx::{self, Postgres, Transaction};
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
}

/// Bytes that are kept, and not yet an object's.
#[derive(Debug, Clone)]
pub struct Received {
    version: Version,
    stored: Stored,
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
        Ok(Received { version, stored })
    }

    /// Makes the bytes an object; answers its id.
    pub async fn commit(&self, intent: &Intent, received: Received) -> Result<ObjectId, Error> {
        let Received { version, stored } = received;
        let content = Content {
            version: Some(version),
            metadata: self.metadata(&intent.object, &stored),
            sha256: Some(stored.sha256),
        };
        self.write_row(intent, content).await
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
        self.write_row(intent, content).await
    }

    /// Writes the row; where Postgres refuses it, the bytes go.
    async fn write_row(&self, intent: &Intent, content: Content) -> Result<ObjectId, Error> {
        match self.written(intent, &content).await {
            Ok((transaction, id)) => {
                // When this fails nobody knows whether it was done: the bytes stay, and the
                // sweeper looks whether anything refers to them.
                transaction.commit().await?;
                self.discarded.notify_one();
                Ok(id)
            }
            Err(error) => {
                if let Some(version) = content.version {
                    self.discard(version).await;
                }
                Err(error.into())
            }
        }
    }

    async fn written(
        &self,
        intent: &Intent,
        content: &Content,
    ) -> Result<(Transaction<'static, Postgres>, ObjectId), sqlx::Error> {
        let mut transaction = self.authoriser.begin(&intent.caller).await?;
        let (object, overwrite) = (&intent.object, intent.overwrite);
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

    fn metadata(&self, object: &NewObject, stored: &Stored) -> Value {
        let metadata = ObjectMetadata {
            etag: stored.etag(),
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
