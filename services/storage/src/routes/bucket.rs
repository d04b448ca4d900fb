//! Buckets, in Supabase's dialect.

mod create;
mod delete;
mod empty;
mod get;
mod list;
mod update;

pub(crate) use self::create::create;
pub(crate) use self::delete::delete;
pub(crate) use self::empty::empty;
pub(crate) use self::get::get;
pub(crate) use self::list::list;
pub(crate) use self::update::update;

use serde::Serialize;

use crate::domain::bucket::Bucket;
use crate::domain::mime::{UnsupportedMimeType, is_pattern};
use crate::domain::object::timestamp;
use crate::domain::size::SizeText;
use crate::error::Error;

/// A bucket on the wire.
#[derive(Debug, Serialize)]
pub(crate) struct BucketResponse {
    id: String,
    name: String,
    /// Empty where it is nobody's: clients read a string.
    owner: String,
    public: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    file_size_limit: Option<i64>,
    allowed_mime_types: Option<Vec<String>>,
    created_at: String,
    updated_at: String,
}

impl From<Bucket> for BucketResponse {
    fn from(bucket: Bucket) -> Self {
        Self {
            id: bucket.id,
            name: bucket.name,
            owner: bucket
                .owner
                .map_or_else(String::new, |owner| owner.to_string()),
            public: bucket.public,
            kind: "STANDARD",
            file_size_limit: bucket.file_size_limit,
            allowed_mime_types: bucket.allowed_mime_types,
            created_at: timestamp(bucket.created_at),
            updated_at: timestamp(bucket.updated_at),
        }
    }
}

/// A bucket's size limit in bytes, no larger than what the platform takes.
fn size_limit(text: &SizeText, platform_limit: u64) -> Result<i64, Error> {
    let bytes = text.bytes()?;
    if bytes > platform_limit {
        return Err(Error::EntityTooLarge);
    }
    i64::try_from(bytes).map_err(|_| Error::EntityTooLarge)
}

/// A bucket's media types.
fn mime_types(patterns: Vec<String>) -> Result<Vec<String>, Error> {
    let patterns: Vec<String> = patterns.into_iter().filter(|p| !p.is_empty()).collect();
    match patterns.iter().find(|pattern| !is_pattern(pattern)) {
        Some(pattern) => Err(UnsupportedMimeType(pattern.clone()).into()),
        None => Ok(patterns),
    }
}
