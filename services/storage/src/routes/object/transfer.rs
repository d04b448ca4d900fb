//! What moving and copying have in common: from where to where, and whether it fits there.

use serde::Deserialize;

use crate::config::Limits;
use crate::domain::bucket::Bucket;
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::mime::MimeType;
use crate::domain::object::Object;
use crate::error::Error;

/// From where to where, as clients say it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferRequest {
    bucket_id: String,
    source_key: String,
    destination_bucket: Option<String>,
    destination_key: String,
}

/// From where to where.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) from: (BucketId, ObjectKey),
    pub(super) to: (BucketId, ObjectKey),
}

impl TransferRequest {
    /// The names, where all of them can be names; without a destination bucket it is the source's.
    pub(super) fn parse(&self) -> Result<Transfer, Error> {
        let bucket = BucketId::parse(&self.bucket_id)?;
        let to_bucket = match &self.destination_bucket {
            Some(name) => BucketId::parse(name)?,
            None => bucket.clone(),
        };
        Ok(Transfer {
            from: (bucket, ObjectKey::parse(&self.source_key)?),
            to: (to_bucket, ObjectKey::parse(&self.destination_key)?),
        })
    }
}

impl Transfer {
    /// Where the object will be, as clients name it.
    pub(super) fn destination(&self) -> String {
        format!("{}/{}", self.to.0, self.to.1)
    }
}

/// Refuses an object that `bucket` does not take.
pub(super) fn check_fits(object: &Object, bucket: &Bucket, limits: Limits) -> Result<(), Error> {
    let Some((_, metadata)) = object.stored() else {
        return Ok(());
    };
    bucket.check_mime(&MimeType::parse(&metadata.mimetype)?)?;
    if metadata.size > bucket.size_limit(limits.file_size) {
        return Err(Error::EntityTooLarge);
    }
    Ok(())
}
