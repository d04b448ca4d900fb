use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use super::{
    DEFER_LENGTH, LENGTH, METADATA, OFFSET, Proof, Refusal, Tus, add_expiry, brings_bytes, count,
    resume, text,
};
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, ObjectId, Overwrite};
use crate::domain::pending::Protocol;
use crate::domain::{tus, user_metadata};
use crate::error::Error;
use crate::uploads::pending::NewUpload;

/// Begins an upload; where the request brings bytes, they are its first.
pub(super) async fn create(
    server: &Tus,
    proof: Proof,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let size = announced(headers)?;
    if size.is_some_and(|size| size > server.max_size) {
        return Err(Error::EntityTooLarge.into());
    }
    let upload_metadata = text(headers, &METADATA).unwrap_or_default();
    let values = tus::metadata(upload_metadata)?;
    let value = |name: &str| values.get(name).map(String::as_str);
    let bucket = BucketId::parse(value("bucketName").unwrap_or_default())?;
    let key = ObjectKey::parse(value("objectName").unwrap_or_default())?;
    let uploader = server.uploader(proof, &parts, &bucket, &key)?;
    let user_metadata = value("metadata")
        .map(user_metadata::from_json)
        .transpose()?;
    let object = NewObject {
        // Only said when it becomes an object, if it does not replace one.
        id: ObjectId(Uuid::nil()),
        bucket,
        key,
        owner_id: uploader.caller.subject().map(str::to_owned),
        mime: MimeType::parse(value("contentType").unwrap_or_default())?,
        cache_control: tus::cache_control(value("cacheControl")),
        user_metadata,
    };
    let new = NewUpload {
        caller: uploader.caller.clone(),
        protocol: Protocol::Tus,
        object,
        overwrite: uploader.overwrite.unwrap_or_else(|| upsert(headers)),
        size,
        upload_metadata: Some(upload_metadata.to_owned()),
    };
    let mut pending = server.pending.begin(new).await?;
    let with_upload = brings_bytes(headers);
    if with_upload {
        resume::take(server, &mut pending, uploader.caller, headers, body).await?;
    } else if pending.is_whole() {
        resume::finish(server, &mut pending, uploader.caller).await?;
    }
    let mut response = StatusCode::CREATED.into_response();
    let answer = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(server.location(proof, headers, &pending)) {
        answer.insert(LOCATION, location);
    }
    if with_upload {
        answer.insert(OFFSET, HeaderValue::from(pending.received));
    }
    add_expiry(answer, pending.expires_at);
    Ok(response)
}

/// How long the upload will be; `None` where that is said later.
fn announced(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let size = count(headers, &LENGTH)?;
    let deferred = headers.get(DEFER_LENGTH);
    match (size, deferred) {
        (Some(size), None) => Ok(Some(size)),
        (None, Some(value)) if value.as_bytes() == b"1" => Ok(None),
        _ => {
            let message = "either Upload-Length or Upload-Defer-Length: 1 is needed";
            Err(Refusal::Tus(StatusCode::BAD_REQUEST, message))
        }
    }
}

fn upsert(headers: &HeaderMap) -> Overwrite {
    let upsert = headers.get("x-upsert");
    if upsert.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")) {
        Overwrite::Replace
    } else {
        Overwrite::Refuse
    }
}
