//! What browsers ask before they let a page of another origin call this API (Fetch, section 3.2).

use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

const METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";
const EXPOSED: &str = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, \
                       Location, Server, Transfer-Encoding, Range-Unit";
/// A day, in seconds.
const MAX_AGE: &str = "86400";

/// What a page of some origin may do.
pub(super) struct Cors {
    /// `*` where every origin may call, and then no cookies come along; else the origin itself.
    origin: HeaderValue,
    named: bool,
}

impl Cors {
    /// What the request's origin may do; `None` where it names none, or one that may do nothing.
    pub(super) fn of(headers: &HeaderMap, allowed: Option<&[HeaderValue]>) -> Option<Self> {
        let origin = headers.get(ORIGIN)?;
        match allowed {
            None => Some(Self {
                origin: HeaderValue::from_static("*"),
                named: false,
            }),
            Some(allowed) => allowed.contains(origin).then(|| Self {
                origin: origin.clone(),
                named: true,
            }),
        }
    }

    /// The answer to a request that only asks whether another may be made.
    pub(super) fn preflight(&self, method: &Method, asked: &HeaderMap) -> Option<Response> {
        if method != Method::OPTIONS || !asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_HEADERS);
        let wanted = wanted
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let wanted = wanted
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let always = ["Accept", "Accept-Language", "Content-Language"];
        let names: Vec<&str> = std::iter::once("Authorization")
            .chain(wanted.filter(|name| !name.eq_ignore_ascii_case("authorization")))
            .chain(always)
            .collect();
        let mut headers = HeaderMap::new();
        self.permit(&mut headers);
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(METHODS),
        );
        if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        Some(headers.into_response())
    }

    /// Lets the page read an answer and its headers.
    pub(super) fn expose(&self, headers: &mut HeaderMap) {
        self.permit(headers);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }

    fn permit(&self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        if self.named {
            let allow = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, allow);
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
    }
}
