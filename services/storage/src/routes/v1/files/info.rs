use axum::Json;
use axum::extract::State;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{FileId, FileResponse};
use crate::authoriser::Authoriser;
use crate::caller::Caller;
use crate::domain::object::{Object, ObjectId};
use crate::error::Error;
use crate::routes::v1::caller::KeyHolder;
use crate::routes::v1::urls::FileUrls;
use crate::store;

/// A URL that saves a file which the caller may read.
pub(in crate::routes::v1) async fn download_info(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    State(urls): State<FileUrls>,
    FileId(id): FileId,
) -> Result<Json<Value>, Error> {
    let object = visible(&authoriser, &caller, id).await?;
    let url = format!("{}&{}", urls.signed(&object)?, saving(&object));
    Ok(Json(
        json!({ "file_metadata": FileResponse::from(object), "download_url": url }),
    ))
}

/// A URL that shows a file which the caller may read.
pub(in crate::routes::v1) async fn view_info(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    State(urls): State<FileUrls>,
    FileId(id): FileId,
) -> Result<Json<Value>, Error> {
    let object = visible(&authoriser, &caller, id).await?;
    let url = urls.signed(&object)?;
    Ok(Json(
        json!({ "file_metadata": FileResponse::from(object), "view_url": url }),
    ))
}

/// The public URL that saves a public file.
pub(in crate::routes::v1) async fn public_download_info(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    State(urls): State<FileUrls>,
    FileId(id): FileId,
) -> Result<Json<Value>, Error> {
    let object = public(&authoriser, &caller, id).await?;
    let url = format!("{}?{}", urls.public(&object), saving(&object));
    Ok(Json(
        json!({ "file_metadata": FileResponse::from(object), "download_url": url }),
    ))
}

/// The public URL that shows a public file.
pub(in crate::routes::v1) async fn public_view_info(
    KeyHolder(caller): KeyHolder,
    State(authoriser): State<Authoriser>,
    State(urls): State<FileUrls>,
    FileId(id): FileId,
) -> Result<Json<Value>, Error> {
    let object = public(&authoriser, &caller, id).await?;
    let url = urls.public(&object);
    Ok(Json(
        json!({ "file_metadata": FileResponse::from(object), "view_url": url }),
    ))
}

async fn visible(authoriser: &Authoriser, caller: &Caller, id: ObjectId) -> Result<Object, Error> {
    let mut transaction = authoriser.begin(caller).await?;
    let found = store::objects::find_by_id(&mut transaction, id).await?;
    transaction.commit().await?;
    found.ok_or(Error::NoSuchKey)
}

async fn public(authoriser: &Authoriser, caller: &Caller, id: ObjectId) -> Result<Object, Error> {
    let mut transaction = authoriser.begin(caller).await?;
    let found = store::objects::find_public_by_id(&mut transaction, id).await?;
    transaction.commit().await?;
    found.ok_or(Error::NoSuchKey)
}

/// The query that makes a browser save the file under its own name.
fn saving(object: &Object) -> String {
    let name = utf8_percent_encode(object.file_name(), NON_ALPHANUMERIC);
    format!("download={name}")
}
