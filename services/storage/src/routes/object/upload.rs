use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::form;
use crate::authoriser::Authoriser;
use crate::body::SharedBody;
use crate::caller::{Authenticated, Caller};
use crate::domain::mime::MimeType;
use crate::domain::object::{FILE_NAME, NewObject, ObjectId, Overwrite};
use crate::domain::signature::UploadGrant;
use crate::domain::user_metadata as metadata;
use crate::error::Error;
use crate::routes::extract::{ObjectPath, Params};
use crate::uploads::{Intent, Uploads};

/// What an upload gets without a `Cache-Control` of its own.
pub(super) const NO_CACHE: &str = "no-cache";

/// Uploads an object; with `x-upsert: true` it may replace another.
pub(crate) async fn create(
    Authenticated(caller): Authenticated,
    State(uploads): State<Uploads>,
    path: ObjectPath,
    request: Request,
) -> Result<Json<Value>, Error> {
    let full_path = format!("{}/{}", path.bucket, path.key);
    let overwrite = overwrite(request.headers());
    let target = Target::of_caller(&uploads, caller, path, overwrite);
    let id = take(&uploads, target, request).await?;
    Ok(Json(json!({ "Key": full_path, "Id": id })))
}

/// Uploads an object, replacing the one of that name.
pub(crate) async fn update(
    Authenticated(caller): Authenticated,
    State(uploads): State<Uploads>,
    path: ObjectPath,
    request: Request,
) -> Result<Json<Value>, Error> {
    let full_path = format!("{}/{}", path.bucket, path.key);
    let target = Target::of_caller(&uploads, caller, path, Overwrite::Replace);
    let id = take(&uploads, target, request).await?;
    Ok(Json(json!({ "Key": full_path, "Id": id })))
}

#[derive(Debug, Deserialize)]
pub(crate) struct SignedUploadParams {
    #[serde(default)]
    token: String,
}

/// Uploads the object that a signed URL was made for.
pub(crate) async fn upload_signed(
    State(uploads): State<Uploads>,
    State(authoriser): State<Authoriser>,
    path: ObjectPath,
    Params(params): Params<SignedUploadParams>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let full_path = format!("{}/{}", path.bucket, path.key);
    let grant = authoriser.signed_upload(&params.token, &path.bucket, &path.key)?;
    let target = Target::of_grant(&uploads, path, grant);
    let id = take(&uploads, target, request).await?;
    Ok(Json(json!({ "Key": full_path, "Id": id })))
}

/// What an upload is for, before its request is read.
pub(super) struct Target {
    caller: Caller,
    id: ObjectId,
    path: ObjectPath,
    overwrite: Overwrite,
    owner_id: Option<String>,
    file_name: Option<String>,
}

/// What the request says of the object itself.
#[derive(Debug)]
pub(super) struct Particulars {
    pub(super) mime: MimeType,
    pub(super) cache_control: String,
    pub(super) user_metadata: Option<Map<String, Value>>,
    pub(super) announced_size: Option<u64>,
}

impl Target {
    fn of_caller(
        uploads: &Uploads,
        caller: Caller,
        path: ObjectPath,
        overwrite: Overwrite,
    ) -> Self {
        Self {
            id: uploads.new_id(),
            owner_id: caller.subject().map(str::to_owned),
            caller,
            path,
            overwrite,
            file_name: None,
        }
    }

    fn of_grant(uploads: &Uploads, path: ObjectPath, grant: UploadGrant) -> Self {
        Self {
            caller: Caller::platform(grant.owner.clone()),
            id: grant.id.unwrap_or_else(|| uploads.new_id()),
            path,
            overwrite: if grant.upsert {
                Overwrite::Replace
            } else {
                Overwrite::Refuse
            },
            owner_id: grant.owner,
            file_name: grant.file_name,
        }
    }

    pub(super) fn intent(self, particulars: Particulars) -> Intent {
        let mut user_metadata = particulars.user_metadata;
        if let Some(name) = self.file_name {
            let kept = user_metadata.get_or_insert_default();
            kept.insert(FILE_NAME.to_owned(), name.into());
        }
        Intent {
            caller: self.caller,
            object: NewObject {
                id: self.id,
                bucket: self.path.bucket,
                key: self.path.key,
                owner_id: self.owner_id,
                mime: particulars.mime,
                cache_control: particulars.cache_control,
                user_metadata,
            },
            overwrite: self.overwrite,
            announced_size: particulars.announced_size,
            expected_etag: None,
        }
    }
}

/// Takes the upload in `request`: a form with a file, or the bare bytes. What is left of a refused
/// one is read and forgotten, so that the client gets to read why.
async fn take(uploads: &Uploads, target: Target, request: Request) -> Result<ObjectId, Error> {
    let (parts, body) = request.into_parts();
    let body = SharedBody::new(body);
    let rest = body.clone();
    let taken = match form::boundary(&parts.headers) {
        Some(boundary) => form::take(uploads, target, boundary?, body).await,
        None => take_bytes(uploads, target, &parts.headers, body).await,
    };
    if taken.is_err() {
        rest.drain().await;
    }
    taken
}

async fn take_bytes(
    uploads: &Uploads,
    target: Target,
    headers: &HeaderMap,
    body: SharedBody,
) -> Result<ObjectId, Error> {
    let cache = text(headers, &CACHE_CONTROL).unwrap_or(NO_CACHE);
    let intent = target.intent(Particulars {
        mime: MimeType::parse(text(headers, &CONTENT_TYPE).unwrap_or_default())?,
        cache_control: cache_control(cache)?,
        user_metadata: user_metadata(headers)?,
        announced_size: body.announced_size(),
    });
    let limit = uploads.admit(&intent).await?;
    if intent.announced_size.is_some_and(|size| size > limit) {
        return Err(Error::EntityTooLarge);
    }
    let received = uploads.receive(Box::pin(body.limited(limit))).await?;
    uploads.commit(&intent, received).await
}

/// What `x-upsert` asks for.
pub(super) fn overwrite(headers: &HeaderMap) -> Overwrite {
    let upsert = headers.get("x-upsert");
    if upsert.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")) {
        Overwrite::Replace
    } else {
        Overwrite::Refuse
    }
}

/// What `x-metadata` holds.
pub(super) fn user_metadata(headers: &HeaderMap) -> Result<Option<Map<String, Value>>, Error> {
    let Some(value) = headers.get("x-metadata") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    Ok(Some(metadata::from_base64(text)?))
}

/// A `Cache-Control` that downloads can answer with.
pub(super) fn cache_control(text: &str) -> Result<String, Error> {
    let fits = text.len() <= 255 && HeaderValue::from_str(text).is_ok();
    if !fits {
        let message = "the cache control is no header value";
        return Err(Error::InvalidRequest(message.to_owned()));
    }
    Ok(text.to_owned())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
