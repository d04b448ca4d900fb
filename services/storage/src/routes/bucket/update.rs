use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{mime_types, size_limit};
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::config::Limits;
use crate::domain::bucket::{BucketChange, Setting};
use crate::domain::size::SizeText;
use crate::error::Error;
use crate::routes::extract::{BucketPath, JsonBody};
use crate::store;

#[derive(Debug, Deserialize)]
pub(crate) struct UpdateBucketRequest {
    public: Option<bool>,
    #[serde(default)]
    file_size_limit: Setting<SizeText>,
    #[serde(default)]
    allowed_mime_types: Setting<Vec<String>>,
}

/// Changes a bucket's settings.
pub(crate) async fn update(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(limits): State<Limits>,
    BucketPath(bucket): BucketPath,
    JsonBody(request): JsonBody<UpdateBucketRequest>,
) -> Result<Json<Value>, Error> {
    let change = BucketChange {
        public: request.public,
        file_size_limit: request
            .file_size_limit
            .try_map(|size| size_limit(&size, limits.file_size))?,
        allowed_mime_types: request.allowed_mime_types.try_map(mime_types)?,
        ..BucketChange::default()
    };
    let mut transaction = authoriser.begin(&caller).await?;
    if !store::buckets::update(&mut transaction, &bucket, &change).await? {
        return Err(Error::NoSuchBucket);
    }
    transaction.commit().await?;
    Ok(Json(json!({ "message": "Successfully updated" })))
}
