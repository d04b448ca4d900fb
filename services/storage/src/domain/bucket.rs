//! Buckets and their limits.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use uuid::Uuid;

use super::key::BucketId;
use super::mime::{MimeType, UnsupportedMimeType};

/// A bucket that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its id, which URLs and policies name it by.
    pub id: String,
    /// Its name; the same unless it was renamed.
    pub name: String,
    /// Its owner, where that is a UUID.
    pub owner: Option<Uuid>,
    /// Its owner: the subject of who made it.
    pub owner_id: Option<String>,
    /// Whether anybody may download from it by the public URL.
    pub public: bool,
    /// Whether anybody may also list it, view its files and add to them.
    pub is_public: bool,
    /// The largest object it takes, in bytes; `None` leaves it to the platform's limit.
    pub file_size_limit: Option<i64>,
    /// The media types it takes; `None` and empty take all.
    pub allowed_mime_types: Option<Vec<String>>,
    /// What it is for, in its owner's words.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl Bucket {
    /// The largest object it takes, in bytes, where the platform takes `platform_limit`.
    pub fn size_limit(&self, platform_limit: u64) -> u64 {
        let own = self
            .file_size_limit
            .and_then(|limit| u64::try_from(limit).ok());
        own.map_or(platform_limit, |limit| limit.min(platform_limit))
    }

    /// Refuses a media type it does not take.
    pub fn check_mime(&self, mime: &MimeType) -> Result<(), UnsupportedMimeType> {
        match self.allowed_mime_types.as_deref() {
            None | Some([]) => Ok(()),
            Some(allowed) if mime.is_among(allowed) => Ok(()),
            Some(_) => Err(UnsupportedMimeType(mime.as_str().to_owned())),
        }
    }
}

/// A bucket that is about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBucket {
    /// Its id.
    pub id: BucketId,
    /// Its name.
    pub name: BucketId,
    /// The subject whose it is.
    pub owner_id: Option<String>,
    /// Whether anybody may download from it by the public URL.
    pub public: bool,
    /// The largest object it takes, in bytes.
    pub file_size_limit: Option<i64>,
    /// The media types it takes.
    pub allowed_mime_types: Option<Vec<String>>,
    /// Who rules it.
    pub rule: Rule,
}

/// Who decides about a bucket and its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The project's own policies alone: a bucket made through Supabase's API.
    Policies,
    /// Also its owner, by the generated policies: a bucket made through `/api/v1`.
    Owner {
        /// Whether anybody may list it, view its files and add to them.
        is_public: bool,
        /// What it is for.
        description: Option<String>,
    },
}

/// What to do about one setting. Read from JSON, null clears and an absent field keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Take it away.
    Clear,
    /// Set it.
    To(T),
}

impl<T> Setting<T> {
    /// Whether it is to change.
    pub fn changes(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// What it is to be, where it is to be something.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::To(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// The same about what `read` makes of the value.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Setting<U>, E> {
        Ok(match self {
            Self::Keep => Setting::Keep,
            Self::Clear => Setting::Clear,
            Self::To(value) => Setting::To(read(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Clear, Self::To))
    }
}

/// What to change of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketChange {
    /// The public URL, where it changes.
    pub public: Option<bool>,
    /// Listing, viewing and adding by anybody, where it changes.
    pub is_public: Option<bool>,
    /// The name, where it changes.
    pub name: Option<BucketId>,
    /// The size limit, in bytes.
    pub file_size_limit: Setting<i64>,
    /// The media types.
    pub allowed_mime_types: Setting<Vec<String>>,
    /// The description.
    pub description: Setting<String>,
}
