//! Requests that no service should have to think about.

use axum::extract::Request;
use http::header::HOST;
use http::{Method, Version};

use crate::refusal::Refusal;

/// Refuses what is meant for a proxy (a full URL, `CONNECT`), what would be echoed (`TRACE`), and a
/// host that is missing or ambiguous.
pub(crate) fn check(request: &Request) -> Result<(), Refusal> {
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Refusal::Method);
    }
    if request.uri().authority().is_some() {
        return Err(Refusal::BadRequest("The request target must be a path"));
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::BadRequest("There is more than one Host header"));
    }
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(Refusal::BadRequest("There is no Host header"));
    }
    Ok(())
}
