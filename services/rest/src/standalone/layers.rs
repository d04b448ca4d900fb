//! What surrounds the service where no gateway stands before it. From the outside in: the log, the
//! headers that every answer has, the rules for other origins.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::HeaderValue;
use http::header::SERVER;

use super::access_log::{LogLevel, logged};
use super::cors::Cors;
use crate::live::Live;

const NAME: &str = concat!("selfdb-rest/", env!("CARGO_PKG_VERSION"));

#[derive(Clone)]
struct Surroundings {
    live: Live,
    level: LogLevel,
}

/// `router` with everything around it.
pub(super) fn surround(router: Router, live: Live, level: LogLevel) -> Router {
    let surroundings = Surroundings { live, level };
    router.layer(from_fn_with_state(surroundings, around))
}

async fn around(State(around): State<Surroundings>, request: Request, next: Next) -> Response {
    let answer = |request| with_headers(around.live, request, next);
    logged(around.level, request, answer).await
}

async fn with_headers(live: Live, request: Request, next: Next) -> Response {
    let app = live.app();
    let server = &app.config.server;
    let traced = server.trace_header.as_ref();
    let trace = traced.and_then(|name| Some((name, request.headers().get(name)?.clone())));
    let cors = Cors::of(request.headers(), server.origins.as_deref());
    let preflight = cors
        .as_ref()
        .and_then(|cors| cors.preflight(request.method(), request.headers()));
    let mut response = if let Some(response) = preflight {
        response
    } else {
        let mut response = next.run(request).await;
        if let Some(cors) = &cors {
            cors.expose(response.headers_mut());
        }
        response
    };
    let headers = response.headers_mut();
    if let Some((name, value)) = trace {
        headers.insert(name.clone(), value);
    }
    headers
        .entry(SERVER)
        .or_insert(HeaderValue::from_static(NAME));
    response
}
