//! Any method on `/<name>` and below: the function's answer. `x-region` and
//! `forceFunctionRegion` are taken and change nothing: there is one region.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};

use crate::access::identify;
use crate::catalog::Function;
use crate::domain::FunctionName;
use crate::domain::execution::Cause;
use crate::domain::trigger::Trigger;
use crate::error::{ERROR_CODE, Error};
use crate::routes::AppState;
use crate::runtime::Failure;

pub(crate) async fn no_function() -> Error {
    Error::NotFound
}

pub(crate) async fn invoke_function(
    State(state): State<Arc<AppState>>,
    request: Request<Body>,
) -> Response {
    let Some(function) = named(&state, request.uri()).await else {
        return Error::NotFound.into_response();
    };
    if let Err(error) = permit(&state, &function, &request) {
        return error.into_response();
    }
    if function.names_triggers()
        && let Err(error) = listens(&state, &function, request.method(), request.headers()).await
    {
        return error.into_response();
    }
    match state.invoker.invoke(&function, Cause::HTTP, request).await {
        Ok(response) => marked(response),
        Err(error) => {
            let function = function.name.as_str();
            tracing::warn!(function, %error, "function did not answer");
            error.into_response()
        }
    }
}

/// The function a request is for.
async fn named(state: &AppState, uri: &Uri) -> Option<Arc<Function>> {
    let name = uri.path().split('/').nth(1).and_then(FunctionName::parse)?;
    state.catalog.find_deployed(&name).await
}

/// Refuses whoever may not call `function`, and what is too large for it.
fn permit(state: &AppState, function: &Function, request: &Request<Body>) -> Result<(), Error> {
    // Browsers send no token with a preflight.
    if function.verifies_jwt() && request.method() != Method::OPTIONS {
        identify(&state.verifier, request.headers())?;
    }
    let most = function.body_bytes(state.limits);
    if declared_length(request).is_some_and(|length| length > most as u64) {
        return Err(Failure::BodyTooLarge.into());
    }
    Ok(())
}

/// Refuses what a function's own `triggers` do not ask for. One that is not for HTTP at all answers
/// administrators, who try it out.
async fn listens(
    state: &AppState,
    function: &Arc<Function>,
    asked: &Method,
    headers: &HeaderMap,
) -> Result<(), Error> {
    let (worker, _) = state.catalog.worker(function).await.map_err(Error::Start)?;
    let triggers = &worker.described().triggers;
    let mut methods = triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Http { method } => Some(method.as_deref()),
        Trigger::Schedule { .. }
        | Trigger::Database { .. }
        | Trigger::Event(_)
        | Trigger::Webhook
        | Trigger::Once => None,
    });
    let fits = |method: Option<&str>| {
        method.is_none_or(|method| method == asked.as_str()) || *asked == Method::OPTIONS
    };
    match methods.next() {
        None if triggers.is_empty() => Ok(()),
        None => match identify(&state.verifier, headers) {
            Ok(identity) if identity.is_admin() => Ok(()),
            Ok(_) | Err(_) => Err(Error::NotFound),
        },
        Some(first) if fits(first) || methods.any(fits) => Ok(()),
        Some(_) => Err(Error::MethodNotAllowed),
    }
}

fn declared_length(request: &Request<Body>) -> Option<u64> {
    let length = request.headers().get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Marks a fault that the function itself answered.
fn marked(mut response: Response) -> Response {
    if response.status().is_server_error() {
        let code = HeaderValue::from_static("EDGE_FUNCTION_ERROR");
        response.headers_mut().entry(ERROR_CODE).or_insert(code);
    }
    response
}
