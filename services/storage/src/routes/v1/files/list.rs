use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::FileResponse;
use crate::authoriser::Authoriser;
use crate::caller::Caller;
use crate::error::Error;
use crate::routes::extract::{BucketPath, Params};
use crate::routes::v1::Page;
use crate::routes::v1::caller::{KeyHolder, User};
use crate::store;
use crate::store::listing::FileListing;

#[derive(Debug, Deserialize)]
pub(in crate::routes::v1) struct ListFilesParams {
    bucket_id: Option<String>,
    #[serde(default)]
    skip: u32,
    limit: Option<u32>,
}

/// The caller's own files, newest first.
pub(in crate::routes::v1) async fn list(
    User(caller): User,
    State(authoriser): State<Authoriser>,
    Params(params): Params<ListFilesParams>,
) -> Result<Json<Vec<FileResponse>>, Error> {
    let (limit, offset) = Page {
        skip: params.skip,
        limit: params.limit,
    }
    .bounds();
    let listing = FileListing {
        bucket: params.bucket_id.as_deref(),
        owner_id: caller.subject(),
        limit,
        offset,
    };
    Ok(Json(files(&authoriser, &caller, &listing).await?))
}

/// The files of a bucket that the caller sees, newest first.
pub(in crate::routes::v1) async fn list_in_bucket(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
    Params(page): Params<Page>,
) -> Result<Json<Vec<FileResponse>>, Error> {
    let (limit, offset) = page.bounds();
    let listing = FileListing {
        bucket: Some(bucket.as_str()),
        owner_id: None,
        limit,
        offset,
    };
    let files = files(&authoriser, &caller, &listing).await?;
    if files.is_empty() {
        let mut transaction = authoriser.begin(&caller).await?;
        let seen = store::buckets::find(&mut transaction, bucket.as_str()).await?;
        transaction.commit().await?;
        seen.ok_or(Error::NoSuchBucket)?;
    }
    Ok(Json(files))
}

async fn files(
    authoriser: &Authoriser,
    caller: &Caller,
    listing: &FileListing<'_>,
) -> Result<Vec<FileResponse>, Error> {
    let mut transaction = authoriser.begin(caller).await?;
    let files = store::listing::files(&mut transaction, listing).await?;
    transaction.commit().await?;
    Ok(files.into_iter().map(FileResponse::from).collect())
}
