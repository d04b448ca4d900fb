//! Objects, in Supabase's dialect.

mod copy;
mod delete;
pub(crate) mod delivery;
mod form;
mod info;
mod list;
mod list_v2;
mod read;
mod rename;
mod sign;
mod transfer;
mod upload;
pub(crate) mod wanted;

pub(crate) use self::copy::copy;
pub(crate) use self::delete::{delete, delete_many};
pub(crate) use self::info::{info, info_authenticated, info_public};
pub(crate) use self::list::list;
pub(crate) use self::list_v2::list_v2;
pub(crate) use self::read::{get, get_authenticated, get_public, get_signed};
pub(crate) use self::rename::rename;
pub(crate) use self::sign::{sign, sign_many, sign_upload};
pub(crate) use self::upload::{create, update, upload_signed};

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::object::{Object, ObjectId, Version, timestamp};

/// An object's row on the wire.
#[derive(Debug, Serialize)]
pub(crate) struct ObjectResponse {
    id: ObjectId,
    name: String,
    bucket_id: String,
    owner: Option<Uuid>,
    owner_id: Option<String>,
    version: Option<Version>,
    metadata: Option<Value>,
    user_metadata: Option<Map<String, Value>>,
    created_at: String,
    updated_at: String,
    last_accessed_at: String,
}

impl From<Object> for ObjectResponse {
    fn from(object: Object) -> Self {
        Self {
            id: object.id,
            name: object.name,
            bucket_id: object.bucket_id,
            owner: object.owner,
            owner_id: object.owner_id,
            version: object.version,
            metadata: object.metadata,
            user_metadata: object.user_metadata,
            created_at: timestamp(object.created_at),
            updated_at: timestamp(object.updated_at),
            last_accessed_at: timestamp(object.last_accessed_at),
        }
    }
}
