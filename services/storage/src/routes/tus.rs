//! TUS 1.0.0 with creation, creation-with-upload, creation-defer-length, expiration, checksum and
//! termination (tus.io), with Supabase's metadata. Errors have their real status and a plain text.

mod create;
mod location;
mod resume;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Path, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use jwt::Verifier;
use time::OffsetDateTime;

use crate::app::App;
use crate::authoriser::Authoriser;
use crate::caller::{Caller, identity};
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::object::Overwrite;
use crate::domain::pending::{PendingUpload, UploadId};
use crate::domain::tus::{ALGORITHMS, InvalidTusHeader};
use crate::error::Error;
use crate::uploads::pending::PendingUploads;

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const EXTENSIONS: HeaderValue = HeaderValue::from_static(
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination",
);
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");

/// The routes, for callers with a token and for signed upload URLs.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/upload/resumable", any(collection))
        .route("/upload/resumable/", any(collection))
        .route("/upload/resumable/sign", any(signed_collection))
        .route("/upload/resumable/sign/", any(signed_collection))
        .route("/upload/resumable/{id}", any(upload))
        .route("/upload/resumable/sign/{id}", any(signed_upload))
}

/// How a request proves what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// A bearer token.
    Bearer,
    /// The token of a signed upload URL, in `x-signature`.
    Signature,
}

/// Who uploads, and whether it may replace an object.
struct Uploader {
    caller: Caller,
    overwrite: Option<Overwrite>,
}

#[derive(Clone)]
pub(crate) struct Tus {
    verifier: Arc<Verifier>,
    authoriser: Authoriser,
    pending: PendingUploads,
    public_url: Arc<str>,
    max_size: u64,
}

impl FromRef<App> for Tus {
    fn from_ref(app: &App) -> Self {
        Self {
            verifier: Arc::clone(&app.verifier),
            authoriser: app.authoriser.clone(),
            pending: app.pending.clone(),
            public_url: Arc::clone(&app.public_url),
            max_size: app.limits.file_size,
        }
    }
}

/// Why TUS refuses.
enum Refusal {
    /// What TUS itself says.
    Tus(StatusCode, &'static str),
    /// What storage says.
    Storage(Error),
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Storage(error.into())
    }
}

impl From<InvalidTusHeader> for Error {
    fn from(error: InvalidTusHeader) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

async fn collection(State(tus): State<Tus>, request: Request) -> Response {
    Box::pin(tus.collection(Proof::Bearer, request)).await
}

async fn signed_collection(State(tus): State<Tus>, request: Request) -> Response {
    Box::pin(tus.collection(Proof::Signature, request)).await
}

async fn upload(State(tus): State<Tus>, Path(id): Path<String>, request: Request) -> Response {
    Box::pin(tus.upload(Proof::Bearer, &id, request)).await
}

async fn signed_upload(
    State(tus): State<Tus>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    Box::pin(tus.upload(Proof::Signature, &id, request)).await
}

impl Tus {
    async fn collection(&self, proof: Proof, request: Request) -> Response {
        let answer = match method(&request) {
            Method::OPTIONS => return self.options(),
            Method::POST => match versioned(&request) {
                Ok(()) => create::create(self, proof, request).await,
                Err(refusal) => Err(refusal),
            },
            _ => Err(not_allowed()),
        };
        dressed(answer.unwrap_or_else(refused))
    }

    async fn upload(&self, proof: Proof, id: &str, request: Request) -> Response {
        let method = method(&request);
        if method == Method::OPTIONS {
            return self.options();
        }
        let answer = match (versioned(&request), id.parse::<UploadId>()) {
            (Err(refusal), _) => Err(refusal),
            (Ok(()), Err(_)) => Err(Error::NoSuchUpload.into()),
            (Ok(()), Ok(id)) => match method {
                Method::HEAD => resume::head(self, proof, id, request).await,
                Method::PATCH => resume::patch(self, proof, id, request).await,
                Method::DELETE => resume::terminate(self, proof, id, request).await,
                _ => Err(not_allowed()),
            },
        };
        dressed(answer.unwrap_or_else(refused))
    }

    fn options(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert("tus-version", VERSION);
        headers.insert("tus-extension", EXTENSIONS);
        headers.insert(MAX_SIZE, HeaderValue::from(self.max_size));
        let algorithms = HeaderValue::from_static(ALGORITHMS);
        headers.insert("tus-checksum-algorithm", algorithms);
        let methods = HeaderValue::from_static("POST, HEAD, PATCH, DELETE, OPTIONS");
        headers.insert(ALLOW, methods);
        dressed(response)
    }

    /// Who asks; a signature has to be for this very object.
    fn uploader(
        &self,
        proof: Proof,
        parts: &Parts,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Uploader, Error> {
        if proof == Proof::Bearer {
            return Ok(Uploader {
                caller: self.bearer(parts)?,
                overwrite: None,
            });
        }
        let token = text(&parts.headers, &HeaderName::from_static("x-signature"));
        let grant = self
            .authoriser
            .signed_upload(token.unwrap_or_default(), bucket, key)?;
        let overwrite = if grant.upsert {
            Overwrite::Replace
        } else {
            Overwrite::Refuse
        };
        Ok(Uploader {
            caller: Caller::platform(grant.owner),
            overwrite: Some(overwrite),
        })
    }

    fn bearer(&self, parts: &Parts) -> Result<Caller, Error> {
        let identity = identity(&self.verifier, &parts.headers)?.ok_or(Error::MissingToken)?;
        Ok(Caller::bearer(&identity, parts))
    }

    /// Where an upload goes on.
    fn location(&self, proof: Proof, headers: &HeaderMap, pending: &PendingUpload) -> String {
        let signed = match proof {
            Proof::Bearer => "",
            Proof::Signature => "/sign",
        };
        let (base, id) = (location::base(&self.public_url, headers), pending.id);
        format!("{base}/upload/resumable{signed}/{id}")
    }
}

/// The method, which clients that cannot send some of them name in a header.
fn method(request: &Request) -> Method {
    let named = request.headers().get("x-http-method-override");
    named
        .filter(|_| request.method() == Method::POST)
        .and_then(|name| Method::from_bytes(name.as_bytes()).ok())
        .unwrap_or_else(|| request.method().clone())
}

fn versioned(request: &Request) -> Result<(), Refusal> {
    if request.headers().get(RESUMABLE) == Some(&VERSION) {
        Ok(())
    } else {
        let message = "Tus-Resumable must be 1.0.0";
        Err(Refusal::Tus(StatusCode::PRECONDITION_FAILED, message))
    }
}

fn not_allowed() -> Refusal {
    Refusal::Tus(StatusCode::METHOD_NOT_ALLOWED, "no such method")
}

fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, VERSION);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refused(refusal: Refusal) -> Response {
    let (status, message, headers) = match refusal {
        Refusal::Tus(status, message) => (status, message.to_owned(), HeaderMap::new()),
        // What TUS has a status of its own for.
        Refusal::Storage(Error::BadDigest) => {
            let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Error::BadDigest.to_string(), HeaderMap::new())
        }
        Refusal::Storage(error) => {
            let (status, _, message) = error.told();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, message, error.into_response().headers().clone())
        }
    };
    let mut response = (status, message).into_response();
    if let Some(value) = headers.get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, value.clone());
    }
    if status == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", VERSION);
    }
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A count of bytes in a header; `None` where there is no such header.
fn count(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let digits = value.to_str().ok().filter(|text| {
        !text.is_empty() && text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit())
    });
    match digits.and_then(|text| text.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(Refusal::Tus(
            StatusCode::BAD_REQUEST,
            "a count of bytes cannot be read",
        )),
    }
}

fn add_expiry(headers: &mut HeaderMap, expires_at: OffsetDateTime) {
    let date = httpdate::fmt_http_date(expires_at.into());
    if let Ok(value) = HeaderValue::from_str(&date) {
        headers.insert(EXPIRES, value);
    }
}

/// Whether a request's body is a part of an upload.
fn brings_bytes(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE) == Some("application/offset+octet-stream")
}
