//! The S3 protocol, path style, at `/s3`.
//!
//! A request passes two services of the `s3s` crate. The outer one knows the path as the client
//! signed it, checks the signature, and takes `aws-chunked` bodies apart. The inner one knows the
//! path below `/s3`, and calls the operations, which ask Postgres as the caller.

mod buckets;
mod checksums;
mod delete;
mod errors;
mod form;
pub(crate) mod identity;
mod listing;
mod metadata;
mod multipart;
pub(crate) mod operations;
mod policy;
mod read;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRef, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use s3s::auth::{S3Auth, SecretKey};
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::NameValidation;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use self::identity::Identities;
use self::operations::Operations;
use crate::app::App;
use crate::body::SharedBody;
use crate::domain::s3_keys::S3Keys;
use crate::routes::object::delivery::POLICY;

/// The routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/s3", any(entry))
        .route("/s3/", any(entry))
        .route("/s3/{*path}", any(entry))
}

/// The longest answer that says why a request is refused, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;

type Answered = S3Result<http::Response<s3s::Body>>;

/// The S3 protocol.
#[derive(Clone)]
pub(crate) struct Protocol {
    outer: S3Service,
    operations: Operations,
    identities: Identities,
    /// The path of the platform's public URL, and its host.
    public_path: Arc<str>,
    public_host: Arc<str>,
}

impl FromRef<App> for Protocol {
    fn from_ref(app: &App) -> Self {
        app.s3.clone()
    }
}

impl Protocol {
    /// The protocol over the parts of `operations`.
    pub(crate) fn new(operations: Operations, identities: Identities, public_url: &str) -> Self {
        let url = public_url.parse::<Uri>().unwrap_or_default();
        let mut inner = S3ServiceBuilder::new(operations.clone());
        inner.set_validation(AnyName);
        let mut outer = S3ServiceBuilder::new(Nothing);
        outer.set_validation(AnyName);
        outer.set_auth(Keys(identities.keys()));
        outer.set_route(Inner {
            service: inner.build(),
            identities: identities.clone(),
        });
        Self {
            outer: outer.build(),
            operations,
            identities,
            public_path: url.path().trim_end_matches('/').into(),
            public_host: url.authority().map_or("", |host| host.as_str()).into(),
        }
    }

    /// The path as the client signed it: what the gateway and the proxy before it took off is put
    /// back.
    fn signed_uri(&self, uri: &Uri, headers: &HeaderMap) -> Option<Uri> {
        let query = uri.query().map(|query| format!("?{query}"));
        let (prefix, path) = (self.removed_prefix(headers), uri.path());
        format!("{prefix}{path}{}", query.unwrap_or_default())
            .parse()
            .ok()
    }

    /// What the gateway and the proxy before it took off the path.
    fn removed_prefix(&self, headers: &HeaderMap) -> String {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let prefix = text("x-forwarded-prefix").unwrap_or_default();
        let prefix = prefix.trim_end_matches('/');
        let by_public_url = text(HOST.as_str()) == Some(&*self.public_host);
        let outer = if by_public_url && !prefix.starts_with(&*self.public_path) {
            &*self.public_path
        } else {
            ""
        };
        format!("{outer}{prefix}")
    }

    /// Answers a request as if it were the one that `parts` describe.
    async fn verified(&self, parts: Parts, body: &SharedBody) -> Answered {
        let body = s3s::Body::http_body_unsync(body.clone());
        let called = self
            .outer
            .call(http::Request::from_parts(parts, body))
            .await;
        called.map_err(|_| s3_error!(InternalError))
    }

    /// Answers a signed request. Signatures are checked before anything of the body is read, so
    /// one that does not fit what everybody signs may still fit what s3cmd does.
    async fn signed(&self, mut parts: Parts, inner: InnerUri, body: Body) -> Answered {
        let Some(signed) = self.signed_uri(&parts.uri, &parts.headers) else {
            return Err(s3_error!(InvalidURI));
        };
        let body = SharedBody::new(body);
        let other = self.signed_by_s3cmd(&parts, &inner);
        parts.uri = signed;
        parts.extensions.insert(inner);
        let answer = self.verified(parts, &body).await?;
        let Some(other) = other.filter(|_| answer.status() == StatusCode::FORBIDDEN) else {
            return Ok(answer);
        };
        let (head, text) = answer.into_parts();
        let text = to_bytes(Body::new(text), MAX_ERROR_BYTES).await;
        let text = text.map_err(|_| s3_error!(InternalError))?;
        let code = b"<Code>SignatureDoesNotMatch</Code>";
        if text.windows(code.len()).any(|window| window == code) {
            return self.verified(other, &body).await;
        }
        Ok(http::Response::from_parts(head, text.into()))
    }

    /// The same request as s3cmd signs it, which knows nothing of paths before the bucket's: it
    /// takes them for the host's name.
    fn signed_by_s3cmd(&self, parts: &Parts, inner: &InnerUri) -> Option<Parts> {
        let host = parts.headers.get(HOST)?.to_str().ok()?;
        let host = format!("{host}{}/s3", self.removed_prefix(&parts.headers));
        let query = parts.uri.query().map(|query| format!("?{query}"));
        let path = format!("{}{}", inner.0.path(), query.unwrap_or_default());
        let mut other = parts.clone();
        other.headers.insert(HOST, host.parse().ok()?);
        other.uri = path.parse().ok()?;
        other.extensions.insert(inner.clone());
        Some(other)
    }
}

/// The path below `/s3`, and the query without what the signature was in.
#[derive(Clone)]
struct InnerUri(Uri);

impl InnerUri {
    fn of(uri: &Uri) -> Option<Self> {
        let path = uri.path().strip_prefix("/s3")?;
        let path = if path.is_empty() { "/" } else { path };
        let kept: Vec<&str> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| {
                let signing = pair
                    .get(..6)
                    .is_some_and(|s| s.eq_ignore_ascii_case("x-amz-"));
                !signing && !pair.is_empty()
            })
            .collect();
        let text = if kept.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", kept.join("&"))
        };
        Some(Self(Uri::from(text.parse::<PathAndQuery>().ok()?)))
    }
}

async fn entry(State(protocol): State<Protocol>, request: Request) -> Response {
    let mut response = Box::pin(answer(&protocol, request)).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if response.status() == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn answer(protocol: &Protocol, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(inner) = InnerUri::of(&parts.uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let kind = parts.headers.get(CONTENT_TYPE);
    let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
    let answered = if parts.method == Method::POST && is_form {
        form::post(protocol, &inner.0, &parts, body).await
    } else if speaks_version_2(&parts.uri, &parts.headers) {
        Err(s3_error!(
            InvalidRequest,
            "only Signature Version 4 is spoken"
        ))
    } else {
        protocol.signed(parts, inner, body).await
    };
    match answered.or_else(s3s::S3Error::to_http_response) {
        Ok(response) => response.map(Body::new),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether it is signed the way S3 gave up long ago.
fn speaks_version_2(uri: &Uri, headers: &HeaderMap) -> bool {
    let in_header = headers
        .get(AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"AWS "));
    let in_query = uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Signature=")));
    in_header || in_query
}

/// What the outer service would call by itself: nothing.
struct Nothing;

impl S3 for Nothing {}

/// Names are checked by the operations, against storage's own rules.
struct AnyName;

impl NameValidation for AnyName {
    fn validate_bucket_name(&self, _: &str) -> bool {
        true
    }
}

struct Keys(Arc<S3Keys>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        Ok(SecretKey::from(identity::secret(&self.0, access_key)))
    }
}

/// Hands requests whose signature was right to the inner service.
struct Inner {
    service: S3Service,
    identities: Identities,
}

#[async_trait::async_trait]
impl S3Route for Inner {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut http::Extensions) -> bool {
        true
    }

    async fn check_access(&self, request: &mut S3Request<s3s::Body>) -> S3Result<()> {
        let credentials = request
            .credentials
            .as_ref()
            .ok_or_else(|| s3_error!(AccessDenied, "a signature is needed"))?;
        let token = identity::session_token(&request.uri, &request.headers);
        let target = (&request.method, request.uri.path());
        let caller = self
            .identities
            .caller(&credentials.access_key, token.as_deref(), target)?;
        request.extensions.insert(caller);
        Ok(())
    }

    async fn call(&self, request: S3Request<s3s::Body>) -> S3Result<S3Response<s3s::Body>> {
        let S3Request {
            input: body,
            method,
            mut headers,
            mut extensions,
            trailing_headers,
            ..
        } = request;
        let InnerUri(uri) = extensions
            .remove()
            .ok_or_else(|| s3_error!(InternalError))?;
        headers.remove(AUTHORIZATION);
        headers.remove("x-amz-content-sha256");
        headers.remove("x-amz-decoded-content-length");
        without_aws_chunked(&mut headers);
        if let Some(trailers) = trailing_headers {
            extensions.insert(trailers);
        }
        let mut inner = http::Request::new(body);
        *inner.method_mut() = method;
        *inner.uri_mut() = uri;
        *inner.headers_mut() = headers;
        *inner.extensions_mut() = extensions;
        let answer = self.service.call(inner).await;
        let answer = answer.map_err(|_| s3_error!(InternalError))?;
        let (parts, body) = answer.into_parts();
        let mut response = S3Response::new(body);
        response.status = Some(parts.status);
        response.headers = parts.headers;
        Ok(response)
    }
}

fn without_aws_chunked(headers: &mut HeaderMap) {
    let Some(encodings) = headers.remove(CONTENT_ENCODING) else {
        return;
    };
    let text = encodings.to_str().unwrap_or_default();
    let kept: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked")
        .collect();
    if let Ok(value) = HeaderValue::try_from(kept.join(", "))
        && !kept.is_empty()
    {
        headers.insert(CONTENT_ENCODING, value);
    }
}
