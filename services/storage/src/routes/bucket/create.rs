use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{mime_types, size_limit};
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::config::Limits;
use crate::domain::bucket::{NewBucket, Rule};
use crate::domain::key::BucketId;
use crate::domain::size::SizeText;
use crate::error::Error;
use crate::routes::extract::JsonBody;
use crate::store;

#[derive(Debug, Deserialize)]
pub(crate) struct CreateBucketRequest {
    id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    public: bool,
    #[serde(rename = "type")]
    kind: Option<String>,
    file_size_limit: Option<SizeText>,
    allowed_mime_types: Option<Vec<String>>,
}

/// Makes a bucket that the project's policies rule.
pub(crate) async fn create(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(limits): State<Limits>,
    JsonBody(request): JsonBody<CreateBucketRequest>,
) -> Result<Json<Value>, Error> {
    if request.kind.is_some_and(|kind| kind != "STANDARD") {
        let message = "buckets of this type are not supported";
        return Err(Error::InvalidRequest(message.to_owned()));
    }
    let name = request.name.or_else(|| request.id.clone());
    let name = BucketId::parse(&name.unwrap_or_default())?;
    let id = request.id.as_deref().map(BucketId::parse).transpose()?;
    let limit = request.file_size_limit;
    let bucket = NewBucket {
        id: id.unwrap_or_else(|| name.clone()),
        name,
        owner_id: caller.subject().map(str::to_owned),
        public: request.public,
        file_size_limit: limit
            .map(|size| size_limit(&size, limits.file_size))
            .transpose()?,
        allowed_mime_types: request.allowed_mime_types.map(mime_types).transpose()?,
        rule: Rule::Policies,
    };
    let mut transaction = authoriser.begin(&caller).await?;
    store::buckets::insert(&mut transaction, &bucket).await?;
    transaction.commit().await?;
    Ok(Json(json!({ "name": bucket.name.as_str() })))
}
