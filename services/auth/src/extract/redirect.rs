//! Where a request asks to be led to.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::HeaderMap;
use axum::http::header::REFERER;
use axum::http::request::Parts;
use serde::Deserialize;
use url::Url;

use crate::app::App;

/// Where the link of a letter, or a browser, goes on to: what the request asks for by its query, a
/// header of its own or its referrer, where that is allowed; else the site.
pub(crate) struct RedirectTo(pub(crate) Url);

#[derive(Deserialize)]
struct Asked {
    redirect_to: Option<String>,
}

impl FromRequestParts<Arc<App>> for RedirectTo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let query = Query::<Asked>::try_from_uri(&parts.uri).ok();
        let asked = query.and_then(|Query(asked)| asked.redirect_to);
        let asked = asked
            .or_else(|| header(&parts.headers, "redirect_to"))
            .filter(|asked| !asked.is_empty())
            .or_else(|| header(&parts.headers, REFERER.as_str()));
        Ok(Self(app.rules.links.choose(asked.as_deref())))
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
