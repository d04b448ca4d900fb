use axum::Json;
use axum::extract::State;

use super::BucketResponse;
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::error::Error;
use crate::routes::extract::BucketPath;
use crate::store;

/// One bucket.
pub(crate) async fn get(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
) -> Result<Json<BucketResponse>, Error> {
    let mut transaction = authoriser.begin(&caller).await?;
    let found = store::buckets::find(&mut transaction, bucket.as_str()).await?;
    transaction.commit().await?;
    Ok(Json(found.ok_or(Error::NoSuchBucket)?.into()))
}
