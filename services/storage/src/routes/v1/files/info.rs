use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use jwt::Verifier;
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

/// A question about one file.
pub(in crate::routes::v1) struct Question {
    caller: Caller,
    authoriser: Authoriser,
    urls: FileUrls,
    id: ObjectId,
}

impl<S> FromRequestParts<S> for Question
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
    Authoriser: FromRef<S>,
    FileUrls: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let KeyHolder(caller) = KeyHolder::from_request_parts(parts, state).await?;
        let FileId(id) = FileId::from_request_parts(parts, state).await?;
        Ok(Self {
            caller,
            authoriser: Authoriser::from_ref(state),
            urls: FileUrls::from_ref(state),
            id,
        })
    }
}

impl Question {
    /// The file, where the caller may read it.
    async fn visible(&self) -> Result<Object, Error> {
        let mut transaction = self.authoriser.begin(&self.caller).await?;
        let found = store::objects::find_by_id(&mut transaction, self.id).await?;
        transaction.commit().await?;
        found.ok_or(Error::NoSuchKey)
    }

    /// The file, where it is public.
    async fn public(&self) -> Result<Object, Error> {
        let mut transaction = self.authoriser.begin(&self.caller).await?;
        let found = store::objects::find_public_by_id(&mut transaction, self.id).await?;
        transaction.commit().await?;
        found.ok_or(Error::NoSuchKey)
    }
}

/// A URL that saves a file which the caller may read.
pub(in crate::routes::v1) async fn download_info(question: Question) -> Result<Json<Value>, Error> {
    let object = question.visible().await?;
    let url = format!("{}&{}", question.urls.signed(&object)?, saving(&object));
    Ok(described(object, "download_url", &url))
}

/// A URL that shows a file which the caller may read.
pub(in crate::routes::v1) async fn view_info(question: Question) -> Result<Json<Value>, Error> {
    let object = question.visible().await?;
    let url = question.urls.signed(&object)?;
    Ok(described(object, "view_url", &url))
}

/// The public URL that saves a public file.
pub(in crate::routes::v1) async fn public_download_info(
    question: Question,
) -> Result<Json<Value>, Error> {
    let object = question.public().await?;
    let url = format!("{}?{}", question.urls.public(&object), saving(&object));
    Ok(described(object, "download_url", &url))
}

/// The public URL that shows a public file.
pub(in crate::routes::v1) async fn public_view_info(
    question: Question,
) -> Result<Json<Value>, Error> {
    let object = question.public().await?;
    let url = question.urls.public(&object);
    Ok(described(object, "view_url", &url))
}

fn described(object: Object, name: &str, url: &str) -> Json<Value> {
    Json(json!({ "file_metadata": FileResponse::from(object), name: url }))
}

/// The query that makes a browser save the file under its own name.
fn saving(object: &Object) -> String {
    let name = utf8_percent_encode(object.file_name(), NON_ALPHANUMERIC);
    format!("download={name}")
}
