//! Uploads that come in parts, until they are objects.

use common::define_id;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::key::{BucketId, ObjectKey};
use super::mime::MimeType;
use super::object::{NewObject, ObjectId, Overwrite, Stored, Version};

define_id! {
    /// Names an upload that comes in parts.
    UploadId
}

/// How an upload's parts come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// One after the other, from the first byte on.
    Tus,
    /// By number, in any order, each replaceable.
    S3,
}

impl Protocol {
    /// What the database calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tus => "tus",
            Self::S3 => "s3",
        }
    }
}

/// An upload that is not an object yet.
#[derive(Debug, Clone)]
pub struct PendingUpload {
    /// Its id.
    pub id: UploadId,
    /// How its parts come.
    pub protocol: Protocol,
    /// Where it goes.
    pub bucket: BucketId,
    /// Under which name.
    pub key: ObjectKey,
    /// The role that began it.
    pub role: String,
    /// The subject whose it is.
    pub owner_id: Option<String>,
    /// Bytes announced, where they are known.
    pub size: Option<u64>,
    /// Bytes kept from the first on; always 0 of S3's.
    pub received: u64,
    /// Whether it may replace an object.
    pub overwrite: Overwrite,
    /// Its media type.
    pub mime: MimeType,
    /// The `Cache-Control` of its downloads.
    pub cache_control: String,
    /// What the uploader keeps with it.
    pub user_metadata: Option<Map<String, Value>>,
    /// The header `Upload-Metadata`.
    pub upload_metadata: Option<String>,
    /// What its whole bytes are called, once they are there.
    pub version: Option<Version>,
    /// Whether it is an object.
    pub finished: bool,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// When it is given up.
    pub expires_at: OffsetDateTime,
}

impl PendingUpload {
    /// The object it is to become, called `id` where it replaces none.
    pub fn object(&self, id: ObjectId) -> NewObject {
        NewObject {
            id,
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            owner_id: self.owner_id.clone(),
            mime: self.mime.clone(),
            cache_control: self.cache_control.clone(),
            user_metadata: self.user_metadata.clone(),
        }
    }

    /// Whether whoever acts as `subject` in `role` began it.
    pub fn is_of(&self, role: &str, subject: Option<&str>) -> bool {
        self.role == role && self.owner_id.as_deref() == subject
    }

    /// Whether every announced byte is there.
    pub fn is_whole(&self) -> bool {
        self.size == Some(self.received)
    }
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of TUS the offset of its first byte, of S3 its number.
    pub number: u64,
    /// Names its bytes.
    pub version: Version,
    /// What the store says of them.
    pub stored: Stored,
    /// When it came.
    pub created_at: OffsetDateTime,
}
