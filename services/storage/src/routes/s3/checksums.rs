//! What a client says of a body's bytes: in headers, or in trailers that come after them.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use s3s::TrailingHeaders;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, StreamingBlob};

use axum::http::HeaderMap;

use crate::body::BodyError;
use crate::domain::object::Stored;
use crate::error::Error;

/// The names of the checksums, as headers and trailers end.
const NAMES: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// The checksums of a body that is being read.
pub(super) struct Checks {
    hasher: Arc<Mutex<ChecksumHasher>>,
    said: HeaderMap,
    trailers: Option<TrailingHeaders>,
}

impl Checks {
    /// The checksums that `headers` or the trailers they announce will hold.
    pub(super) fn of(headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> Self {
        let announced = headers.get_all("x-amz-trailer").iter();
        let announced: Vec<&str> = announced.filter_map(|value| value.to_str().ok()).collect();
        let wanted = |name: &str| {
            let header = format!("x-amz-checksum-{name}");
            let in_trailer = announced.iter().any(|text| {
                text.split(',')
                    .any(|one| one.trim().eq_ignore_ascii_case(&header))
            });
            in_trailer || headers.contains_key(&header)
        };
        let hasher = ChecksumHasher {
            crc32: wanted("crc32").then(Crc32::new),
            crc32c: wanted("crc32c").then(Crc32c::new),
            sha1: wanted("sha1").then(Sha1::new),
            sha256: wanted("sha256").then(Sha256::new),
            crc64nvme: wanted("crc64nvme").then(Crc64Nvme::new),
        };
        Self {
            hasher: Arc::new(Mutex::new(hasher)),
            said: headers.clone(),
            trailers,
        }
    }

    /// The bytes of `body`, hashed as they are read.
    pub(super) fn read(
        &self,
        body: Option<StreamingBlob>,
    ) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + Unpin + use<> {
        let hasher = Arc::clone(&self.hasher);
        futures_util::stream::iter(body)
            .flatten()
            .map(move |chunk| {
                let chunk = chunk.map_err(BodyError::Incomplete)?;
                let mut hasher = hasher.lock().unwrap_or_else(PoisonError::into_inner);
                hasher.update(&chunk);
                Ok(chunk)
            })
    }

    /// The checksums of what was read, where they and the MD5 are what the client said.
    pub(super) fn check(self, stored: &Stored) -> Result<Checksum, Error> {
        let mut hasher = self.hasher.lock().unwrap_or_else(PoisonError::into_inner);
        let found = std::mem::take(&mut *hasher).finalize();
        let trailers = self.trailers.and_then(|trailers| trailers.take());
        let own = [
            &found.checksum_crc32,
            &found.checksum_crc32c,
            &found.checksum_crc64nvme,
            &found.checksum_sha1,
            &found.checksum_sha256,
        ];
        for headers in [Some(&self.said), trailers.as_ref()].into_iter().flatten() {
            for (name, own) in NAMES.iter().zip(own) {
                let said = headers.get(format!("x-amz-checksum-{name}"));
                let said = said.and_then(|value| value.to_str().ok());
                if said.is_some() && said != own.as_deref() {
                    return Err(Error::BadDigest);
                }
            }
        }
        if let Some(said) = self.said.get("content-md5")
            && said.as_bytes() != STANDARD.encode(stored.md5).as_bytes()
        {
            return Err(Error::BadDigest);
        }
        Ok(found)
    }
}
