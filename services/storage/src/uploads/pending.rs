//! Uploads in parts: each part's bytes are durable before its row, and all parts' rows before they
//! are acknowledged; the object's row comes last, in the caller's role, as of any upload.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use pg::sqlx::postgres::PgPool;
use time::Duration;

use super::segments::Segments;
use super::{Intent, Received, Uploads};
use crate::backend::Incoming;
use crate::body::{BodyError, SharedBody};
use crate::caller::Caller;
use crate::domain::key::BucketId;
use crate::domain::object::{NewObject, ObjectId, Overwrite};
use crate::domain::pending::{Part, PendingUpload, Protocol, UploadId};
use crate::error::Error;
use crate::integrity::{Reads, Wanted};
use crate::store;
use crate::store::pending::Listing;

/// How much of a body is kept at once, in bytes: what a crash can cost an upload.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Takes uploads in parts.
#[derive(Clone)]
pub struct PendingUploads {
    uploads: Uploads,
    reads: Reads,
    owner: PgPool,
    lifetime: Duration,
}

/// An upload in parts that is about to begin.
pub struct NewUpload {
    /// On whose behalf.
    pub caller: Caller,
    /// How its parts will come.
    pub protocol: Protocol,
    /// What it is to become.
    pub object: NewObject,
    /// Whether it may replace another.
    pub overwrite: Overwrite,
    /// Bytes announced, where they are.
    pub size: Option<u64>,
    /// The header `Upload-Metadata`.
    pub upload_metadata: Option<String>,
}

impl PendingUploads {
    /// Uploads in parts, given up `lifetime` after they began.
    pub fn new(uploads: Uploads, reads: Reads, owner: PgPool, lifetime: Duration) -> Self {
        Self {
            uploads,
            reads,
            owner,
            lifetime,
        }
    }

    /// Begins an upload, where the caller may write the object and it may be that large.
    pub async fn begin(&self, new: NewUpload) -> Result<PendingUpload, Error> {
        let now = self.uploads.now();
        let pending = PendingUpload {
            id: UploadId(self.uploads.randomness.uuid()),
            protocol: new.protocol,
            bucket: new.object.bucket.clone(),
            key: new.object.key.clone(),
            role: new.caller.role().to_owned(),
            owner_id: new.object.owner_id.clone(),
            size: new.size,
            received: 0,
            overwrite: new.overwrite,
            mime: new.object.mime.clone(),
            cache_control: new.object.cache_control.clone(),
            user_metadata: new.object.user_metadata.clone(),
            upload_metadata: new.upload_metadata,
            version: None,
            finished: false,
            created_at: now,
            expires_at: now + self.lifetime,
        };
        let intent = self.intent(&pending, new.caller);
        let limit = self.uploads.admit(&intent).await?;
        if new.size.is_some_and(|size| size > limit) {
            return Err(Error::EntityTooLarge);
        }
        let mut connection = self.owner.acquire().await?;
        store::pending::insert(&mut connection, &pending).await?;
        Ok(pending)
    }

    /// The upload of that id, where it is not given up. Whose it is, is for the caller to look at.
    pub async fn find(&self, id: UploadId, protocol: Protocol) -> Result<PendingUpload, Error> {
        let mut connection = self.owner.acquire().await?;
        let found = store::pending::find(&mut connection, id, protocol).await?;
        let pending = found.ok_or(Error::NoSuchUpload)?;
        if pending.expires_at <= self.uploads.now() {
            return Err(Error::UploadExpired);
        }
        Ok(pending)
    }

    /// Refuses a caller who may not write the object; answers how many bytes there may be.
    pub async fn admit(&self, pending: &PendingUpload, caller: Caller) -> Result<u64, Error> {
        self.uploads.admit(&self.intent(pending, caller)).await
    }

    /// Notes how long an upload is that did not say so when it began.
    pub async fn set_size(&self, pending: &mut PendingUpload, size: u64) -> Result<(), Error> {
        let mut connection = self.owner.acquire().await?;
        store::pending::set_size(&mut connection, pending.id, size).await?;
        pending.size = Some(size);
        Ok(())
    }

    /// Keeps what `body` brings, at most `limit` bytes, segment by segment; `pending` says how far
    /// it came, also where it broke off.
    pub async fn append(
        &self,
        pending: &mut PendingUpload,
        body: SharedBody,
        limit: u64,
    ) -> Result<(), Error> {
        let mut segments = Segments::new(body, limit);
        while segments.more().await {
            let segment = segments.next(SEGMENT_BYTES);
            let received = self.uploads.receive(Box::pin(segment)).await?;
            self.add(pending, received).await?;
        }
        match segments.failure() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Keeps `body` as one part, which `check` may still refuse once it is there.
    pub async fn append_checked(
        &self,
        pending: &mut PendingUpload,
        body: Incoming<'_>,
        check: impl FnOnce() -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let received = self.uploads.receive(body).await?;
        if let Err(error) = check() {
            self.uploads.abandon(received).await;
            return Err(error);
        }
        self.add(pending, received).await
    }

    async fn add(&self, pending: &mut PendingUpload, received: Received) -> Result<(), Error> {
        let size = received.stored.size;
        let part = self.part(pending.received, &received);
        let mut connection = self.owner.acquire().await?;
        // When this fails nobody knows whether it was done: the bytes stay, and the sweeper looks.
        if store::pending::append(&mut connection, pending.id, &part).await? {
            pending.received += size;
            Ok(())
        } else {
            self.uploads.abandon(received).await;
            Err(Error::Locked)
        }
    }

    /// Keeps a numbered part.
    pub async fn put_part(
        &self,
        pending: &PendingUpload,
        number: u64,
        received: Received,
    ) -> Result<Part, Error> {
        let part = self.part(number, &received);
        let mut connection = self.owner.acquire().await?;
        if store::pending::put_part(&mut connection, pending.id, &part).await? {
            self.uploads.discarded.notify_one();
            Ok(part)
        } else {
            self.uploads.abandon(received).await;
            Err(Error::NoSuchUpload)
        }
    }

    fn part(&self, number: u64, received: &Received) -> Part {
        Part {
            number,
            version: received.version,
            stored: received.stored.clone(),
            created_at: self.uploads.now(),
        }
    }

    /// An upload's parts, by number.
    pub async fn parts(&self, pending: &PendingUpload) -> Result<Vec<Part>, Error> {
        let mut connection = self.owner.acquire().await?;
        Ok(store::pending::parts(&mut connection, pending.id).await?)
    }

    /// Makes `parts`, one after the other, the object; answers its id. Where it is one already, as
    /// after a crash that came before this was noted, nothing is written.
    pub async fn complete(
        &self,
        pending: &PendingUpload,
        intent: Intent,
        parts: &[Part],
        etag: Option<String>,
    ) -> Result<ObjectId, Error> {
        if let Some(version) = pending.version {
            let mut connection = self.owner.acquire().await?;
            if let Some(id) = store::pending::object_of(&mut connection, version).await? {
                store::pending::finish(&mut connection, pending.id).await?;
                return Ok(ObjectId(id));
            }
        }
        let mut received = self.join(parts).await?;
        received.etag = etag;
        let mut connection = self.owner.acquire().await?;
        store::pending::set_version(&mut connection, pending.id, received.version).await?;
        drop(connection);
        let id = self.uploads.commit_kept(&intent, received).await?;
        let mut connection = self.owner.acquire().await?;
        store::pending::finish(&mut connection, pending.id).await?;
        self.uploads.discarded.notify_one();
        Ok(id)
    }

    /// The bytes of `parts` as one version: a single part's own, else a copy of all.
    async fn join(&self, parts: &[Part]) -> Result<Received, Error> {
        if let [only] = parts {
            return Ok(Received {
                version: only.version,
                stored: only.stored.clone(),
                etag: None,
            });
        }
        let wanted: Vec<Wanted> = parts
            .iter()
            .map(|part| {
                let (stored, version) = (&part.stored, part.version);
                Wanted::whole(version, Some(stored.sha256), stored.size)
            })
            .collect();
        let reads = self.reads.clone();
        let bytes = stream::iter(wanted)
            .then(move |wanted| {
                let reads = reads.clone();
                async move { reads.read(wanted).await }
            })
            .try_flatten()
            .map_err(|error| BodyError::Unreadable(Box::new(error)));
        self.uploads.receive(Box::pin(bytes)).await
    }

    /// Gives an upload up.
    pub async fn abort(&self, pending: &PendingUpload) -> Result<(), Error> {
        let mut connection = self.owner.acquire().await?;
        store::pending::delete(&mut connection, pending.id).await?;
        self.uploads.discarded.notify_one();
        Ok(())
    }

    /// The unfinished uploads by S3's protocol to a bucket that are the caller's. Of those who are
    /// not signed in nobody knows which are whose.
    pub async fn list(
        &self,
        bucket: &BucketId,
        prefix: &str,
        after: (&str, Option<UploadId>),
        caller: &Caller,
        limit: i32,
    ) -> Result<Vec<PendingUpload>, Error> {
        if caller.subject().is_none() && !caller.is_service() {
            return Ok(Vec::new());
        }
        let mut connection = self.owner.acquire().await?;
        let listing = Listing {
            prefix,
            after: (after.0, after.1.map(|id| id.0)),
            role: caller.role(),
            owner: caller.subject(),
            limit,
        };
        Ok(store::pending::list(&mut connection, bucket, &listing).await?)
    }

    /// What `pending` is to become, on behalf of `caller`.
    pub fn intent(&self, pending: &PendingUpload, caller: Caller) -> Intent {
        Intent {
            caller,
            object: pending.object(self.uploads.new_id()),
            overwrite: pending.overwrite,
            announced_size: pending.size,
            expected_etag: None,
        }
    }
}
