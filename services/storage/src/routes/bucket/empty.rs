use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::Discarded;
use crate::authoriser::Authoriser;
use crate::caller::{Authenticated, Caller};
use crate::domain::key::BucketId;
use crate::error::Error;
use crate::routes::extract::BucketPath;
use crate::store;

/// How many objects one transaction deletes: each stays far below its time limit.
const BATCH: i64 = 1000;

/// Deletes every object of a bucket that the caller sees.
pub(crate) async fn empty(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(Discarded(discarded)): State<Discarded>,
    BucketPath(bucket): BucketPath,
) -> Result<Json<Value>, Error> {
    let mut transaction = authoriser.begin(&caller).await?;
    let found = store::buckets::find(&mut transaction, bucket.as_str()).await?;
    transaction.commit().await?;
    found.ok_or(Error::NoSuchBucket)?;
    while delete_batch(&authoriser, &caller, &bucket).await? {
        discarded.notify_one();
    }
    let mut transaction = authoriser.begin(&caller).await?;
    let left = store::objects::any(&mut transaction, &bucket).await?;
    transaction.commit().await?;
    if left {
        return Err(Error::AccessDenied(
            "the bucket holds objects that you may see and not delete",
        ));
    }
    Ok(Json(json!({ "message": "Successfully emptied" })))
}

/// Answers whether anything was deleted.
async fn delete_batch(
    authoriser: &Authoriser,
    caller: &Caller,
    bucket: &BucketId,
) -> Result<bool, Error> {
    let mut transaction = authoriser.begin(caller).await?;
    let deleted = store::objects::delete_some(&mut transaction, bucket, BATCH).await?;
    transaction.commit().await?;
    Ok(deleted > 0)
}
