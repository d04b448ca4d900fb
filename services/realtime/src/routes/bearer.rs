//! Who asks.

use std::sync::Arc;

use axum::http::HeaderMap;
use jwt::Identity;

use crate::engine::Engine;
use crate::error::Error;

/// Who bears the `Authorization` header's token; else the key in the `apikey` header; else
/// `apikey` of the query, which is all a browser's socket can send.
pub(super) fn identify(
    engine: &Engine,
    headers: &HeaderMap,
    query_key: Option<&str>,
) -> Result<Arc<Identity>, Error> {
    let bearer = jwt::bearer(headers).map_err(|_| Error::Unauthorized)?;
    let header_key = headers.get("apikey").and_then(|value| value.to_str().ok());
    let credential = bearer
        .or(header_key)
        .or(query_key)
        .ok_or(Error::Unauthorized)?;
    let identified = engine.authenticator.identify(credential);
    identified.map_err(|_| Error::Unauthorized)
}
