use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ObjectResponse;
use crate::app::Discarded;
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::error::Error;
use crate::routes::extract::{BucketPath, JsonBody, ObjectPath};
use crate::store;

/// The most objects one request deletes.
const MAX_OBJECTS: usize = 1000;

/// Deletes one object.
pub(crate) async fn delete(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(Discarded(discarded)): State<Discarded>,
    path: ObjectPath,
) -> Result<Json<Value>, Error> {
    let keys = [path.key.as_str().to_owned()];
    let mut transaction = authoriser.begin(&caller).await?;
    let deleted = store::objects::delete(&mut transaction, &path.bucket, &keys).await?;
    if deleted.is_empty() {
        return Err(Error::NoSuchKey);
    }
    transaction.commit().await?;
    discarded.notify_one();
    Ok(Json(json!({ "message": "Successfully deleted" })))
}

#[derive(Debug, Deserialize)]
pub(crate) struct DeleteObjectsRequest {
    prefixes: Vec<String>,
}

/// Deletes objects by their names; answers those it deleted.
pub(crate) async fn delete_many(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(Discarded(discarded)): State<Discarded>,
    BucketPath(bucket): BucketPath,
    JsonBody(request): JsonBody<DeleteObjectsRequest>,
) -> Result<Json<Vec<ObjectResponse>>, Error> {
    let keys = request.prefixes;
    if !(1..=MAX_OBJECTS).contains(&keys.len()) {
        let message = format!("prefixes must hold 1 to {MAX_OBJECTS} names");
        return Err(Error::InvalidRequest(message));
    }
    let mut transaction = authoriser.begin(&caller).await?;
    let deleted = store::objects::delete(&mut transaction, &bucket, &keys).await?;
    transaction.commit().await?;
    discarded.notify_one();
    Ok(Json(
        deleted.into_iter().map(ObjectResponse::from).collect(),
    ))
}
