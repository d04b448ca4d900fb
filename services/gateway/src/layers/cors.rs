//! Which pages may read what is answered (Fetch standard, section 3.2). Never with credentials:
//! keys and tokens travel in headers that a page must set itself.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::refusal::Refusal;

const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const ANY: HeaderValue = HeaderValue::from_static("*");
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");
/// What clients of each dialect read. The `*` covers what functions and `sb-…` add; the names are
/// for browsers that take it literally.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "content-encoding, content-location, content-profile, content-range, etag, link, location, \
     preference-applied, retry-after, sb-error-code, tus-extension, tus-max-size, tus-resumable, \
     tus-version, upload-expires, upload-length, upload-metadata, upload-offset, x-relay-error, \
     x-request-id, x-supabase-api-version, x-total-count, *",
);

/// The origins whose pages may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Every origin.
    Any,
    /// These.
    Listed(Vec<HeaderValue>),
}

impl Origins {
    /// What `access-control-allow-origin` says to a request from `origin`, if anything.
    fn allow(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(ANY),
            Self::Listed(listed) => origin.filter(|origin| listed.contains(origin)).cloned(),
        }
    }

    /// Adds to `response` what a page of `origin` needs to read it, unless the service did.
    pub(crate) fn dress(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        let headers = response.headers_mut();
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        if matches!(self, Self::Listed(_)) {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(allowed) = self.allow(origin) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers
                .entry(ACCESS_CONTROL_EXPOSE_HEADERS)
                .or_insert(EXPOSED);
        }
    }

    /// Refuses a websocket opened by a page of an origin that is not listed: browsers ask no
    /// preflight for one.
    pub(crate) fn check_socket(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match headers.get(ORIGIN) {
            Some(origin) if self.allow(Some(origin)).is_none() => Err(Refusal::Origin),
            Some(_) | None => Ok(()),
        }
    }
}

/// The answer to a preflight.
pub(crate) fn preflight(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(requested) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        let vary = HeaderValue::from_static("access-control-request-headers");
        answer.insert(VARY, vary);
    }
    response
}

/// Whether a browser asks, before the request itself, if it may send it.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether a service has said which origins may read its answer.
pub(crate) fn is_answered(response: &Response) -> bool {
    response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
}
