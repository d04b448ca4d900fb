mod delete;
mod info;
mod initiate_upload;
mod list;
mod update;

pub(super) use self::delete::delete;
pub(super) use self::info::{download_info, public_download_info, public_view_info, view_info};
pub(super) use self::initiate_upload::initiate_upload;
pub(super) use self::list::{list, list_in_bucket};
pub(super) use self::update::update;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Serialize;

use crate::domain::object::{Object, ObjectId, timestamp};
use crate::error::Error;

/// A file on the wire.
#[derive(Debug, Serialize)]
pub(super) struct FileResponse {
    id: ObjectId,
    filename: String,
    object_name: String,
    bucket_id: String,
    bucket_name: String,
    content_type: String,
    size: u64,
    owner_id: Option<String>,
    is_public: bool,
    created_at: String,
    updated_at: String,
}

impl From<Object> for FileResponse {
    fn from(object: Object) -> Self {
        let filename = object.file_name().to_owned();
        let stored = object.stored().map(|(_, metadata)| metadata);
        Self {
            id: object.id,
            filename,
            object_name: object.name,
            bucket_name: object.bucket_id.clone(),
            bucket_id: object.bucket_id,
            size: stored.as_ref().map_or(0, |bytes| bytes.size),
            content_type: stored.map_or_else(String::new, |bytes| bytes.mimetype),
            owner_id: object.owner_id,
            is_public: object.is_public,
            created_at: timestamp(object.created_at),
            updated_at: timestamp(object.updated_at),
        }
    }
}

/// The file in a route's path.
pub(super) struct FileId(ObjectId);

impl<S: Send + Sync> FromRequestParts<S> for FileId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::NoSuchKey)?;
        let id = id.parse().map_err(|_| Error::NoSuchKey)?;
        Ok(Self(id))
    }
}
