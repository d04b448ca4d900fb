use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Page;
use super::caller::{KeyHolder, User};
use crate::authoriser::Authoriser;
use crate::caller::Caller;
use crate::domain::bucket::{BucketChange, NewBucket, Rule, Setting};
use crate::domain::key::BucketId;
use crate::domain::object::timestamp;
use crate::error::Error;
use crate::routes::extract::{BucketPath, JsonBody, Params};
use crate::store;
use crate::store::buckets::{Deletion, Scope, UsedBucket};

/// A bucket and what is in it, on the wire.
#[derive(Debug, Serialize)]
pub(super) struct BucketResponse {
    id: String,
    name: String,
    description: Option<String>,
    is_public: bool,
    owner_id: Option<String>,
    created_at: String,
    updated_at: String,
    file_count: i64,
    total_size: i64,
}

impl From<UsedBucket> for BucketResponse {
    fn from(used: UsedBucket) -> Self {
        let UsedBucket {
            bucket,
            file_count,
            total_size,
        } = used;
        Self {
            id: bucket.id,
            name: bucket.name,
            description: bucket.description,
            is_public: bucket.public && bucket.is_public,
            owner_id: bucket.owner_id,
            created_at: timestamp(bucket.created_at),
            updated_at: timestamp(bucket.updated_at),
            file_count,
            total_size,
        }
    }
}

/// The buckets that the caller sees: for the anon key, the public ones.
pub(super) async fn list(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    Params(page): Params<Page>,
) -> Result<Json<Vec<BucketResponse>>, Error> {
    listed(&authoriser, &caller, Scope::Visible, &page).await
}

/// The public buckets.
pub(super) async fn list_public(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    Params(page): Params<Page>,
) -> Result<Json<Vec<BucketResponse>>, Error> {
    listed(&authoriser, &caller, Scope::Public, &page).await
}

async fn listed(
    authoriser: &Authoriser,
    caller: &Caller,
    scope: Scope<'_>,
    page: &Page,
) -> Result<Json<Vec<BucketResponse>>, Error> {
    let (limit, offset) = page.bounds();
    let mut transaction = authoriser.begin(caller).await?;
    let buckets = store::buckets::list_used(&mut transaction, scope, limit, offset).await?;
    transaction.commit().await?;
    Ok(Json(
        buckets.into_iter().map(BucketResponse::from).collect(),
    ))
}

/// One bucket.
pub(super) async fn get(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
) -> Result<Json<BucketResponse>, Error> {
    Ok(Json(found(&authoriser, &caller, &bucket).await?))
}

async fn found(
    authoriser: &Authoriser,
    caller: &Caller,
    bucket: &BucketId,
) -> Result<BucketResponse, Error> {
    let scope = Scope::One(bucket.as_str());
    let mut transaction = authoriser.begin(caller).await?;
    let buckets = store::buckets::list_used(&mut transaction, scope, 1, 0).await?;
    transaction.commit().await?;
    let bucket = buckets.into_iter().next().ok_or(Error::NoSuchBucket)?;
    Ok(bucket.into())
}

#[derive(Debug, Deserialize)]
pub(super) struct CreateBucketRequest {
    name: String,
    description: Option<String>,
    #[serde(default)]
    is_public: bool,
}

/// Makes a bucket that its owner rules.
pub(super) async fn create(
    User(caller): User,
    State(authoriser): State<Authoriser>,
    JsonBody(request): JsonBody<CreateBucketRequest>,
) -> Result<(StatusCode, Json<BucketResponse>), Error> {
    let name = BucketId::parse(&request.name)?;
    let bucket = NewBucket {
        id: name.clone(),
        name,
        owner_id: caller.subject().map(str::to_owned),
        public: request.is_public,
        file_size_limit: None,
        allowed_mime_types: None,
        rule: Rule::Owner {
            is_public: request.is_public,
            description: request.description,
        },
    };
    let mut transaction = authoriser.begin(&caller).await?;
    store::buckets::insert(&mut transaction, &bucket).await?;
    transaction.commit().await?;
    let bucket = found(&authoriser, &caller, &bucket.id).await?;
    Ok((StatusCode::CREATED, Json(bucket)))
}

#[derive(Debug, Deserialize)]
pub(super) struct UpdateBucketRequest {
    name: Option<String>,
    #[serde(default)]
    description: Setting<String>,
    is_public: Option<bool>,
}

/// Changes a bucket of the caller's.
pub(super) async fn update(
    User(caller): User,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
    JsonBody(request): JsonBody<UpdateBucketRequest>,
) -> Result<Json<BucketResponse>, Error> {
    let name = request.name.as_deref().map(BucketId::parse).transpose()?;
    let change = BucketChange {
        public: request.is_public,
        is_public: request.is_public,
        name,
        description: request.description,
        ..BucketChange::default()
    };
    let mut transaction = authoriser.begin(&caller).await?;
    let updated = store::buckets::update(&mut transaction, &bucket, &change).await?;
    let seen = store::buckets::find(&mut transaction, bucket.as_str()).await?;
    if !updated {
        return Err(refusal(seen.is_some()));
    }
    transaction.commit().await?;
    Ok(Json(found(&authoriser, &caller, &bucket).await?))
}

/// Deletes an empty bucket of the caller's.
pub(super) async fn delete(
    User(caller): User,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
) -> Result<StatusCode, Error> {
    let mut transaction = authoriser.begin(&caller).await?;
    let seen = store::buckets::find(&mut transaction, bucket.as_str()).await?;
    match store::buckets::delete(&mut transaction, &bucket).await? {
        Deletion::Deleted => transaction.commit().await?,
        Deletion::Missing => return Err(refusal(seen.is_some())),
        Deletion::NotEmpty => return Err(Error::BucketNotEmpty),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What was not changed is not the caller's, or is not there as far as the caller sees.
fn refusal(seen: bool) -> Error {
    if seen {
        Error::AccessDenied("only its owner may change the bucket")
    } else {
        Error::NoSuchBucket
    }
}
