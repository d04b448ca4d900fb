use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::BucketResponse;
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::error::Error;
use crate::routes::extract::Params;
use crate::store;
use crate::store::buckets::BucketListing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListBucketsParams {
    #[serde(default)]
    search: String,
    #[serde(default)]
    sort_column: String,
    #[serde(default)]
    sort_order: String,
    limit: Option<u32>,
    #[serde(default)]
    offset: u32,
}

/// The buckets that the caller sees.
pub(crate) async fn list(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    Params(params): Params<ListBucketsParams>,
) -> Result<Json<Vec<BucketResponse>>, Error> {
    let listing = BucketListing {
        search: params.search,
        sort_column: params.sort_column,
        descending: params.sort_order.eq_ignore_ascii_case("desc"),
        limit: params.limit.map(i64::from),
        offset: params.offset.into(),
    };
    let mut transaction = authoriser.begin(&caller).await?;
    let buckets = store::buckets::list(&mut transaction, &listing).await?;
    transaction.commit().await?;
    Ok(Json(
        buckets.into_iter().map(BucketResponse::from).collect(),
    ))
}
