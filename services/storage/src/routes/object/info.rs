use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::authoriser::{Authoriser, Door};
use crate::caller::{Anybody, Authenticated};
use crate::domain::object::{Object, ObjectId, Version, timestamp};
use crate::error::Error;
use crate::routes::extract::ObjectPath;

/// What is known of an object.
#[derive(Debug, Serialize)]
pub(crate) struct InfoResponse {
    id: ObjectId,
    name: String,
    version: Option<Version>,
    bucket_id: String,
    size: Option<u64>,
    content_type: Option<String>,
    cache_control: Option<String>,
    etag: Option<String>,
    metadata: Option<Map<String, Value>>,
    last_modified: String,
    created_at: String,
}

impl From<&Object> for InfoResponse {
    fn from(object: &Object) -> Self {
        let stored = object.stored().map(|(_, metadata)| metadata);
        let stored = stored.as_ref();
        Self {
            id: object.id,
            name: object.name.clone(),
            version: object.version,
            bucket_id: object.bucket_id.clone(),
            size: stored.map(|bytes| bytes.size),
            content_type: stored.map(|bytes| bytes.mimetype.clone()),
            cache_control: stored.map(|bytes| bytes.cache_control.clone()),
            etag: stored.map(|bytes| bytes.etag.clone()),
            metadata: object.user_metadata.clone(),
            last_modified: timestamp(object.updated_at),
            created_at: timestamp(object.created_at),
        }
    }
}

/// What is known of an object, for whoever may see it; of a public bucket, for anybody.
pub(crate) async fn info(
    Anybody(caller): Anybody,
    State(authoriser): State<Authoriser>,
    path: ObjectPath,
) -> Result<Json<InfoResponse>, Error> {
    answer(&authoriser, Door::Plain(caller.as_ref()), &path).await
}

/// What is known of an object, for a caller with a valid token who may see it.
pub(crate) async fn info_authenticated(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    path: ObjectPath,
) -> Result<Json<InfoResponse>, Error> {
    answer(&authoriser, Door::Plain(Some(&caller)), &path).await
}

/// What is known of an object that is public, for anybody.
pub(crate) async fn info_public(
    State(authoriser): State<Authoriser>,
    path: ObjectPath,
) -> Result<Json<InfoResponse>, Error> {
    answer(&authoriser, Door::Public, &path).await
}

async fn answer(
    authoriser: &Authoriser,
    door: Door<'_>,
    path: &ObjectPath,
) -> Result<Json<InfoResponse>, Error> {
    let readable = authoriser.readable(door, &path.bucket, &path.key).await?;
    Ok(Json(readable.object.as_ref().into()))
}
