//! Which web pages may open sockets.

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

use crate::engine::Engine;
use crate::error::Error;

/// Refuses a page whose origin is not in the list, where there is one. Programs that are no
/// browser send no origin.
pub(super) fn check(engine: &Engine, headers: &HeaderMap) -> Result<(), Error> {
    let Some(origin) = headers.get(ORIGIN).filter(|_| !engine.origins.is_empty()) else {
        return Ok(());
    };
    let allowed = engine
        .origins
        .iter()
        .any(|known| known.as_bytes() == origin.as_bytes());
    if allowed { Ok(()) } else { Err(Error::Origin) }
}
