//! Any method on `/<name>` and below: the function's answer. `x-region` and
//! `forceFunctionRegion` are taken and change nothing: there is one region.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request};
use tokio::time::Instant;

use crate::access::identify;
use crate::catalog::Function;
use crate::domain::FunctionName;
use crate::error::{ERROR_CODE, Error};
use crate::routes::AppState;
use crate::runtime::{CallError, Failure};

/// How many workers are asked before a request is given up: each had ended before the request
/// reached it.
const MOST_WORKERS: usize = 5;

pub(crate) async fn no_function() -> Error {
    Error::NotFound
}

pub(crate) async fn invoke_function(
    State(state): State<Arc<AppState>>,
    request: Request<Body>,
) -> Response {
    let function = match permitted(&state, &request) {
        Ok(function) => function,
        Err(error) => return error.into_response(),
    };
    let started = Instant::now();
    let answered = invoke(&state, &function, request).await;
    let duration = started.elapsed();
    let name = function.name.as_str();
    let outcome = answered.as_ref().map_or("failed", |_| "answered");
    metrics::counter!("selfdb_function_invocations_total", "function" => name.to_owned(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("selfdb_function_duration_seconds", "function" => name.to_owned())
        .record(duration);
    let duration_ms = duration.as_secs_f64() * 1000.0;
    match answered {
        Ok(response) => {
            let status = response.status().as_u16();
            tracing::debug!(function = name, status, duration_ms, "function answered");
            marked(response)
        }
        Err(error) => {
            tracing::warn!(function = name, %error, duration_ms, "function did not answer");
            error.into_response()
        }
    }
}

/// The function a request is for, if its sender may call it.
fn permitted(state: &AppState, request: &Request<Body>) -> Result<Arc<Function>, Error> {
    let mut segments = request.uri().path().split('/').skip(1);
    let name = segments.next().and_then(FunctionName::parse);
    let function = name.and_then(|name| state.catalog.find(&name));
    let function = function.ok_or(Error::NotFound)?;
    // Browsers send no token with a preflight.
    if function.verifies_jwt() && request.method() != Method::OPTIONS {
        identify(&state.verifier, request.headers())?;
    }
    if declared_length(request).is_some_and(|length| length > state.body_bytes as u64) {
        return Err(Failure::BodyTooLarge.into());
    }
    Ok(function)
}

fn declared_length(request: &Request<Body>) -> Option<u64> {
    let length = request.headers().get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

async fn invoke(
    state: &AppState,
    function: &Arc<Function>,
    request: Request<Body>,
) -> Result<Response, Error> {
    let mut request = request;
    for _ in 0..MOST_WORKERS {
        let worker = state.catalog.worker(function).await.map_err(Error::Start)?;
        match worker.call(request).await {
            Ok(response) => return Ok(response),
            Err(CallError::NotSent(unsent)) => request = *unsent,
            Err(CallError::Failed(failure)) => return Err(failure.into()),
        }
    }
    Err(Error::NoWorker)
}

/// Marks a fault that the function itself answered.
fn marked(mut response: Response) -> Response {
    if response.status().is_server_error() {
        let code = HeaderValue::from_static("EDGE_FUNCTION_ERROR");
        response.headers_mut().entry(ERROR_CODE).or_insert(code);
    }
    response
}
