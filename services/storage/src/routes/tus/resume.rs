//! Going on with an upload, asking how far it came, and giving it up.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;

use super::{
    CHECKSUM, DEFER_LENGTH, LENGTH, METADATA, OFFSET, Proof, Refusal, Tus, Uploader, add_expiry,
    brings_bytes, count, text,
};
use crate::body::SharedBody;
use crate::caller::Caller;
use crate::domain::pending::{PendingUpload, Protocol, UploadId};
use crate::domain::tus::Checksum;
use crate::error::Error;

/// How far an upload came.
pub(super) async fn head(
    server: &Tus,
    proof: Proof,
    id: UploadId,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let (mut pending, uploader) = found(server, proof, id, &parts).await?;
    if pending.is_whole() && !pending.finished {
        // A crash came between its last byte and its object.
        finish(server, &mut pending, uploader.caller).await?;
    }
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(OFFSET, HeaderValue::from(pending.received));
    match pending.size {
        Some(size) => headers.insert(LENGTH, HeaderValue::from(size)),
        None => headers.insert(DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    let metadata = pending.upload_metadata.as_deref().unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(metadata) {
        headers.insert(METADATA, value);
    }
    add_expiry(headers, pending.expires_at);
    Ok(response)
}

/// Takes the bytes that follow.
pub(super) async fn patch(
    server: &Tus,
    proof: Proof,
    id: UploadId,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    if !brings_bytes(headers) {
        let message = "Content-Type must be application/offset+octet-stream";
        return Err(Refusal::Tus(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let Some(offset) = count(headers, &OFFSET)? else {
        let message = "Upload-Offset is missing";
        return Err(Refusal::Tus(StatusCode::BAD_REQUEST, message));
    };
    let (mut pending, uploader) = found(server, proof, id, &parts).await?;
    if offset != pending.received {
        let message = "Upload-Offset is not how far the upload came";
        return Err(Refusal::Tus(StatusCode::CONFLICT, message));
    }
    take(server, &mut pending, uploader.caller, headers, body).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(OFFSET, HeaderValue::from(pending.received));
    add_expiry(answer, pending.expires_at);
    Ok(response)
}

/// Gives an upload up.
pub(super) async fn terminate(
    server: &Tus,
    proof: Proof,
    id: UploadId,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let (pending, uploader) = found(server, proof, id, &parts).await?;
    server.pending.admit(&pending, uploader.caller).await?;
    server.pending.abort(&pending).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The upload, where the request proves that it is whose it is.
async fn found(
    server: &Tus,
    proof: Proof,
    id: UploadId,
    parts: &Parts,
) -> Result<(PendingUpload, Uploader), Error> {
    let subject = match proof {
        Proof::Bearer => Some(server.bearer(parts)?),
        Proof::Signature => None,
    };
    let pending = server.pending.find(id, Protocol::Tus).await?;
    let uploader = server.uploader(proof, parts, &pending.bucket, &pending.key)?;
    let asks = subject.as_ref().unwrap_or(&uploader.caller);
    if pending.is_of(asks.role(), asks.subject()) {
        Ok((pending, uploader))
    } else {
        Err(Error::NoSuchUpload)
    }
}

/// Takes a body's bytes, and makes the upload an object where they were its last.
pub(super) async fn take(
    server: &Tus,
    pending: &mut PendingUpload,
    caller: Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Refusal> {
    if let Some(size) = count(headers, &LENGTH)?
        && pending.size.is_none()
    {
        server.pending.set_size(pending, size).await?;
    }
    let checksum = text(headers, &CHECKSUM).map(Checksum::parse).transpose()?;
    let limit = match server.pending.admit(pending, caller.clone()).await {
        Ok(limit) => limit,
        // Nothing more is written to an upload that is an object already.
        Err(Error::KeyAlreadyExists) if pending.finished => 0,
        Err(error) => return Err(error.into()),
    };
    let end = pending.size.map_or(limit, |size| size.min(limit));
    let left = end.saturating_sub(pending.received);
    let body = SharedBody::new(body);
    if body.announced_size().is_some_and(|size| size > left) {
        body.drain().await;
        return Err(Error::EntityTooLarge.into());
    }
    let rest = body.clone();
    let taken = match checksum {
        None => server.pending.append(pending, body, left).await,
        Some(checksum) => take_checked(server, pending, checksum, body, left).await,
    };
    if let Err(error) = taken {
        rest.drain().await;
        return Err(error.into());
    }
    if pending.is_whole() && !pending.finished {
        finish(server, pending, caller).await?;
    }
    Ok(())
}

async fn take_checked(
    server: &Tus,
    pending: &mut PendingUpload,
    checksum: Checksum,
    body: SharedBody,
    left: u64,
) -> Result<(), Error> {
    let checksum = Arc::new(Mutex::new(Some(checksum)));
    let hashing = Arc::clone(&checksum);
    let bytes = body.limited(left).inspect(move |chunk| {
        let mut checksum = hashing.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Ok(chunk), Some(checksum)) = (chunk, checksum.as_mut()) {
            checksum.update(chunk);
        }
    });
    let check = move || {
        let mut checksum = checksum.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = checksum.take().is_some_and(Checksum::holds);
        holds.then_some(()).ok_or(Error::BadDigest)
    };
    let pending_uploads = &server.pending;
    pending_uploads
        .append_checked(pending, Box::pin(bytes), check)
        .await
}

/// Makes an upload whose last byte is there an object.
pub(super) async fn finish(
    server: &Tus,
    pending: &mut PendingUpload,
    caller: Caller,
) -> Result<(), Error> {
    let parts = server.pending.parts(pending).await?;
    let intent = server.pending.intent(pending, caller);
    server
        .pending
        .complete(pending, intent, &parts, None)
        .await?;
    pending.finished = true;
    Ok(())
}
