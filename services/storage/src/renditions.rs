//! Images rendered from objects, kept as versions of their own until the bytes they were rendered
//! from go. Few are rendered at once, on threads where it may take a while, and none whose pixels
//! would not fit.

mod pixels;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::Randomness;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use pg::sqlx::postgres::PgPool;
use tokio::sync::Semaphore;

use crate::backend::ObjectStore;
use crate::domain::image::{ImageError, MAX_BYTES, Transformation};
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::object::{Object, ObjectMetadata, Version};
use crate::error::Error;
use crate::integrity::{Reads, Wanted};
use crate::store;
use crate::store::renditions::Rendition;

/// How many images are rendered at once: one takes a core and up to a few hundred megabytes.
const AT_ONCE: usize = 2;
/// How long a client waits for its turn and its image.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which formats a client takes beside the image's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// No other.
    Origin,
    /// WebP.
    WebP,
}

/// Renders images and keeps them.
#[derive(Clone)]
pub struct Renditions {
    owner: PgPool,
    objects: Arc<dyn ObjectStore>,
    reads: Reads,
    randomness: Arc<dyn Randomness>,
    places: Arc<Semaphore>,
}

impl Renditions {
    /// Renditions of what is in `objects`, told apart in `owner`'s database.
    pub fn new(
        owner: PgPool,
        objects: Arc<dyn ObjectStore>,
        reads: Reads,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            owner,
            objects,
            reads,
            randomness,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// `object` with the bytes of what `transformation` makes of it.
    pub async fn of(
        &self,
        object: &Object,
        transformation: Transformation,
        takes: Takes,
    ) -> Result<Object, Error> {
        let (source, metadata) = object.stored().ok_or(Error::NoSuchKey)?;
        let suffix = match takes {
            Takes::Origin => "",
            Takes::WebP => ",webp",
        };
        let spelled = format!("{}{suffix}", transformation.spelled());
        let mut connection = self.owner.acquire().await?;
        let kept = store::renditions::find(&mut connection, source, &spelled).await?;
        drop(connection);
        let rendition = if let Some(rendition) = kept {
            rendition
        } else {
            let rendering = self.render(object, &metadata, transformation, takes);
            let rendered = tokio::time::timeout(PATIENCE, rendering).await;
            let (bytes, mimetype) = rendered.map_err(|_| ImageError::TooSlow)??;
            self.keep(source, &spelled, bytes, mimetype).await?
        };
        Ok(described(object, metadata, rendition))
    }

    async fn render(
        &self,
        object: &Object,
        metadata: &ObjectMetadata,
        transformation: Transformation,
        takes: Takes,
    ) -> Result<(Bytes, &'static str), Error> {
        if metadata.size > MAX_BYTES {
            return Err(ImageError::TooLarge.into());
        }
        let (version, _) = object.stored().ok_or(Error::NoSuchKey)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let wanted = Wanted::whole(version, object.sha256, metadata.size);
        let chunks: Vec<Bytes> = self.reads.read(wanted).await?.try_collect().await?;
        let bytes = chunks.concat();
        let rendered = tokio::task::spawn_blocking(move || {
            // Held until the pixels are gone, also where nobody waits any more.
            let _place = place;
            pixels::render(&bytes, transformation, takes)
        });
        let rendered = rendered
            .await
            .map_err(crate::backend::BackendError::Interrupted)??;
        Ok((rendered.bytes.into(), rendered.mimetype))
    }

    async fn keep(
        &self,
        source: Version,
        spelled: &str,
        bytes: Bytes,
        mimetype: &'static str,
    ) -> Result<Rendition, Error> {
        let version = Version(self.randomness.uuid());
        let body = stream::iter([Ok(bytes)]).boxed();
        let stored = self.objects.put(version, body).await?;
        let rendition = Rendition {
            version,
            mimetype: mimetype.to_owned(),
            size: stored.size,
            etag: stored.etag(),
            sha256: stored.sha256,
        };
        let mut connection = self.owner.acquire().await?;
        if store::renditions::insert(&mut connection, source, spelled, &rendition).await? {
            return Ok(rendition);
        }
        let other = store::renditions::find(&mut connection, source, spelled).await?;
        drop(connection);
        match other {
            // Somebody rendered the same meanwhile.
            Some(other) => {
                self.objects.delete(version).await?;
                Ok(other)
            }
            // The object was replaced meanwhile: this is sent, and swept as an orphan.
            None => Ok(rendition),
        }
    }

    /// Lets go of what was rendered of one object, of a bucket's, or of all.
    pub async fn purge(
        &self,
        bucket: Option<&BucketId>,
        key: Option<&ObjectKey>,
    ) -> Result<(), Error> {
        let mut connection = self.owner.acquire().await?;
        let (bucket, key) = (bucket.map(BucketId::as_str), key.map(ObjectKey::as_str));
        Ok(store::renditions::purge(&mut connection, bucket, key).await?)
    }
}

/// `object` as if its bytes were the rendition's.
fn described(object: &Object, metadata: ObjectMetadata, rendition: Rendition) -> Object {
    let metadata = ObjectMetadata {
        etag: rendition.etag,
        size: rendition.size,
        content_length: rendition.size,
        mimetype: rendition.mimetype,
        ..metadata
    };
    Object {
        version: Some(rendition.version),
        sha256: Some(rendition.sha256),
        metadata: Some(serde_json::json!(metadata)),
        ..object.clone()
    }
}
