//! Objects as objects of an S3 server.
//!
//! ```text
//! <bucket>/installation            whose store this is
//! <bucket>/objects/<xx>/<version>  xx is the version's first byte
//! ```
//! An S3 server shows an object once all of it is there, so there are no drafts; parts of an upload
//! that a crash cut off are for the bucket's life-cycle rules.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::Secret;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use md5::Md5;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore as _, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{BackendError, Incoming, ObjectStore, Opened, Outgoing};
use crate::domain::object::{Stored, Version};

/// How much is sent at once, in bytes: an upload holds at most twice as much.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// How long the address that makes the bucket is good.
const SIGNED_FOR: Duration = Duration::from_mins(1);

/// Which S3 server, and how to get in.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The server's URL; without one it is Amazon's of the region.
    pub endpoint: Option<String>,
    /// The bucket all of it is in.
    pub bucket: String,
    /// The region.
    pub region: String,
    /// Who we are.
    pub access_key_id: String,
    /// What proves it.
    pub secret_access_key: Secret,
    /// Where the bucket stands in URLs.
    pub addressing: Addressing,
}

/// Where a bucket stands in URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// In the path.
    Path,
    /// Before the host's name.
    VirtualHost,
}

/// An object store in a bucket of an S3 server.
#[derive(Debug, Clone)]
pub struct S3 {
    store: Arc<AmazonS3>,
    place: String,
}

impl From<object_store::Error> for BackendError {
    fn from(error: object_store::Error) -> Self {
        Self::Remote(error)
    }
}

impl S3 {
    /// The store in the bucket of `settings`, which is made where it does not exist.
    pub async fn open(settings: &S3Settings) -> Result<Self, BackendError> {
        // Another part of the process may have chosen it already, and there is one to choose from.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(&settings.access_key_id)
            .with_secret_access_key(settings.secret_access_key.expose())
            .with_virtual_hosted_style_request(settings.addressing == Addressing::VirtualHost)
            .with_allow_http(true);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let opened = Self {
            store: Arc::new(builder.build()?),
            place: format!("the bucket {}", settings.bucket),
        };
        opened.make_bucket().await?;
        Ok(opened)
    }

    /// Makes the bucket where the server lets us; whether there is one shows at the first read.
    async fn make_bucket(&self) -> Result<(), BackendError> {
        match self.store.head(&Path::from("installation")).await {
            Ok(_) => return Ok(()),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let url = self
            .store
            .signed_url(reqwest::Method::PUT, &Path::default(), SIGNED_FOR)
            .await?;
        match reqwest::Client::new().put(url).send().await {
            Ok(answer) if !answer.status().is_success() && answer.status().as_u16() != 409 => {
                let status = answer.status().as_u16();
                tracing::warn!(status, place = %self.place, "the bucket was not made");
            }
            Ok(_) => {}
            Err(_) => tracing::warn!(place = %self.place, "the bucket was not made"),
        }
        Ok(())
    }
}

fn path(version: Version) -> Path {
    let [first, ..] = version.0.into_bytes();
    Path::from(format!("objects/{first:02x}/{version}"))
}

fn found<T>(version: Version, result: Result<T, object_store::Error>) -> Result<T, BackendError> {
    result.map_err(|error| {
        if matches!(error, object_store::Error::NotFound { .. }) {
            BackendError::Missing(version)
        } else {
            error.into()
        }
    })
}

impl ObjectStore for S3 {
    fn claim(&self, installation: Uuid) -> BoxFuture<'_, Result<(), BackendError>> {
        async move {
            let path = Path::from("installation");
            let found = match self.store.get(&path).await {
                Ok(found) => found.bytes().await?,
                Err(object_store::Error::NotFound { .. }) => {
                    let text = Bytes::from(installation.to_string());
                    self.store.put(&path, text.into()).await?;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let found = String::from_utf8_lossy(&found).trim().to_owned();
            if found == installation.to_string() {
                return Ok(());
            }
            Err(BackendError::Foreign {
                place: self.place.clone(),
                found,
                expected: installation,
            })
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        version: Version,
        body: Incoming<'a>,
    ) -> BoxFuture<'a, Result<Stored, BackendError>> {
        async move {
            let mut body = Hashed::new(body);
            let first = body.gather().await?;
            if body.ended {
                self.store.put(&path(version), first.into()).await?;
                return Ok(body.stored());
            }
            let mut upload = self.store.put_multipart(&path(version)).await?;
            let sent = send(&mut *upload, first, &mut body).await;
            if let Err(error) = sent {
                // What cannot be taken back now is for the bucket's life-cycle rules.
                let _ = upload.abort().await;
                return Err(error);
            }
            upload.complete().await?;
            Ok(body.stored())
        }
        .boxed()
    }

    fn get(
        &self,
        version: Version,
        first: u64,
        length: u64,
    ) -> BoxFuture<'_, Result<Opened, BackendError>> {
        async move {
            let path = path(version);
            if length == 0 {
                found(version, self.store.head(&path).await)?;
                let bytes = Outgoing::Whole(Bytes::new());
                return Ok(Opened { bytes, stamp: None });
            }
            let end = first.saturating_add(length);
            let options = GetOptions {
                range: Some(GetRange::Bounded(first..end)),
                ..GetOptions::default()
            };
            let answer = found(version, self.store.get_opts(&path, options).await)?;
            if answer.range.end < end {
                return Err(BackendError::Truncated {
                    version,
                    found: answer.meta.size,
                    expected: end,
                });
            }
            let bytes = answer.into_stream().map_err(BackendError::from).boxed();
            Ok(Opened {
                bytes: Outgoing::Stream(bytes),
                stamp: None,
            })
        }
        .boxed()
    }

    fn copy(&self, from: Version, to: Version) -> BoxFuture<'_, Result<(), BackendError>> {
        async move { found(from, self.store.copy(&path(from), &path(to)).await) }.boxed()
    }

    fn delete(&self, version: Version) -> BoxFuture<'_, Result<(), BackendError>> {
        async move {
            match self.store.delete(&path(version)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        .boxed()
    }

    fn list(
        &self,
        shard: u8,
        cutoff: OffsetDateTime,
    ) -> BoxFuture<'_, Result<Vec<Version>, BackendError>> {
        async move {
            let prefix = Path::from(format!("objects/{shard:02x}"));
            let entries: Vec<_> = self.store.list(Some(&prefix)).try_collect().await?;
            let old = entries
                .iter()
                .filter(|entry| entry.last_modified.timestamp() < cutoff.unix_timestamp());
            let names = old.filter_map(|entry| entry.location.filename());
            Ok(names.filter_map(|name| name.parse().ok()).collect())
        }
        .boxed()
    }

    fn discard_drafts(&self, _: OffsetDateTime) -> BoxFuture<'_, Result<usize, BackendError>> {
        std::future::ready(Ok(0)).boxed()
    }
}

async fn send(
    upload: &mut dyn MultipartUpload,
    first: Bytes,
    body: &mut Hashed<'_>,
) -> Result<(), BackendError> {
    let mut part = first;
    loop {
        let sending = upload.put_part(part.into());
        if body.ended {
            sending.await?;
            return Ok(());
        }
        // The next part is read while this one is sent.
        let (sent, next) = tokio::join!(sending, body.gather());
        sent?;
        part = next?;
        if part.is_empty() {
            return Ok(());
        }
    }
}

/// A body that is hashed as it is read.
struct Hashed<'a> {
    body: Incoming<'a>,
    carried: Bytes,
    sha256: Sha256,
    md5: Md5,
    size: u64,
    ended: bool,
}

impl<'a> Hashed<'a> {
    fn new(body: Incoming<'a>) -> Self {
        Self {
            body,
            carried: Bytes::new(),
            sha256: Sha256::new(),
            md5: Md5::new(),
            size: 0,
            ended: false,
        }
    }

    /// The next [`PART_BYTES`], or what is left: every part but the last is of one size, as some
    /// servers want it.
    async fn gather(&mut self) -> Result<Bytes, BackendError> {
        let mut part = Vec::new();
        loop {
            let room = PART_BYTES - part.len();
            let chunk = self.carried.split_to(room.min(self.carried.len()));
            part.extend_from_slice(&chunk);
            if part.len() == PART_BYTES {
                break;
            }
            let Some(chunk) = self.body.next().await.transpose()? else {
                self.ended = true;
                break;
            };
            self.carried = chunk;
        }
        self.sha256.update(&part);
        self.md5.update(&part);
        self.size += part.len() as u64;
        Ok(part.into())
    }

    fn stored(self) -> Stored {
        Stored {
            size: self.size,
            sha256: self.sha256.finalize().into(),
            md5: self.md5.finalize().into(),
        }
    }
}
