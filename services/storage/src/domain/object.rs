//! Objects: a row of metadata, and the immutable bytes its version names.

use common::define_id;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::key::{BucketId, ObjectKey};
use super::mime::MimeType;

define_id! {
    /// An object's id. It stays when the object is overwritten.
    ObjectId
}

define_id! {
    /// Names one upload's bytes. They never change; overwriting makes another version.
    Version
}

/// What is known of an object's bytes, in Supabase's names: the column `metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMetadata {
    /// The entity tag: the MD5 of the bytes in hexadecimal, with quotes, as S3 has it.
    #[serde(rename = "eTag")]
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// The media type the uploader gave.
    pub mimetype: String,
    /// The `Cache-Control` that downloads answer with.
    pub cache_control: String,
    /// When the bytes were written (RFC 3339, UTC, milliseconds).
    pub last_modified: String,
    /// Bytes, again.
    pub content_length: u64,
    /// Always 200.
    pub http_status_code: u16,
}

/// What the object store says of bytes it has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// The SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// The MD5 of the bytes.
    pub md5: [u8; 16],
}

impl Stored {
    /// The entity tag of the bytes.
    pub fn etag(&self) -> String {
        format!("\"{:032x}\"", u128::from_be_bytes(self.md5))
    }
}

/// An object that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// The bucket it is in.
    pub bucket_id: String,
    /// Its name in the bucket.
    pub name: String,
    /// Its owner, where that is a UUID.
    pub owner: Option<Uuid>,
    /// Its owner: the subject of who uploaded it.
    pub owner_id: Option<String>,
    /// Names its bytes; `None` in rows that SQL inserted without any.
    pub version: Option<Version>,
    /// An [`ObjectMetadata`], or whatever SQL put there.
    pub metadata: Option<Value>,
    /// What the uploader keeps with it.
    pub user_metadata: Option<Map<String, Value>>,
    /// The SHA-256 of its bytes.
    pub sha256: Option<[u8; 32]>,
    /// Whether anybody may view it.
    pub is_public: bool,
    /// When it was first uploaded.
    pub created_at: OffsetDateTime,
    /// When it was last uploaded, moved or changed.
    pub updated_at: OffsetDateTime,
    /// When it was created; reads do not write.
    pub last_accessed_at: OffsetDateTime,
}

impl Object {
    /// The version and metadata of its bytes, where it has some.
    pub fn stored(&self) -> Option<(Version, ObjectMetadata)> {
        let metadata = ObjectMetadata::deserialize(self.metadata.as_ref()?).ok()?;
        Some((self.version?, metadata))
    }

    /// The name to show for it: its owner's own spelling, else what follows the last slash.
    pub fn file_name(&self) -> &str {
        let spelling = self
            .user_metadata
            .as_ref()
            .and_then(|map| map.get(FILE_NAME));
        let last = self.name.rsplit('/').next().unwrap_or(&self.name);
        spelling.and_then(Value::as_str).unwrap_or(last)
    }
}

/// The user-metadata key that keeps a file's name as its owner spelled it.
pub const FILE_NAME: &str = "filename";

/// An object that is about to be.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// The id it gets, unless it replaces another object.
    pub id: ObjectId,
    /// Where.
    pub bucket: BucketId,
    /// Under which name.
    pub key: ObjectKey,
    /// The subject whose it is.
    pub owner_id: Option<String>,
    /// Its media type.
    pub mime: MimeType,
    /// The `Cache-Control` of its downloads.
    pub cache_control: String,
    /// What the uploader keeps with it.
    pub user_metadata: Option<Map<String, Value>>,
}

/// What to do where an object of that name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Replace it.
    Replace,
    /// Refuse.
    Refuse,
}

/// `time` as the wire has it: RFC 3339 in UTC with milliseconds, as JavaScript writes dates.
pub fn timestamp(time: OffsetDateTime) -> String {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let (date, clock) = (utc.date(), utc.time());
    let (hour, minute, second, millisecond) = clock.as_hms_milli();
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn timestamps_are_as_javascript_writes_them() {
        let time = datetime!(2026-08-01 12:30:05.123456 +02:00);
        assert_eq!(timestamp(time), "2026-08-01T10:30:05.123Z");
    }

    #[test]
    fn the_entity_tag_is_the_md5_in_quotes() {
        let stored = Stored {
            size: 0,
            sha256: [0; 32],
            md5: [0xab; 16],
        };
        assert_eq!(stored.etag(), format!("\"{}\"", "ab".repeat(16)));
    }

    #[test]
    fn metadata_reads_as_supabase_wrote_it() {
        let text = r#"{"eTag":"\"x\"","size":3,"mimetype":"text/plain","cacheControl":"no-cache",
            "lastModified":"2026-08-01T10:30:05.123Z","contentLength":3,"httpStatusCode":200}"#;
        let metadata: ObjectMetadata = serde_json::from_str(text).expect("all fields");
        assert_eq!((metadata.size, metadata.etag.as_str()), (3, "\"x\""));
    }
}
