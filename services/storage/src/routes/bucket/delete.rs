use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::error::Error;
use crate::routes::extract::BucketPath;
use crate::store;
use crate::store::buckets::Deletion;

/// Deletes a bucket that is empty.
pub(crate) async fn delete(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
) -> Result<Json<Value>, Error> {
    let mut transaction = authoriser.begin(&caller).await?;
    match store::buckets::delete(&mut transaction, &bucket).await? {
        Deletion::Deleted => transaction.commit().await?,
        Deletion::Missing => return Err(Error::NoSuchBucket),
        Deletion::NotEmpty => return Err(Error::BucketNotEmpty),
    }
    Ok(Json(json!({ "message": "Successfully deleted" })))
}
