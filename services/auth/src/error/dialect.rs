//! The wire forms of an error, written once: GoTrue's two, and that of `/api/v1`.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, http::request};
use serde_json::{Value, json};

use crate::error::Error;

/// The header by which clients ask for a version of GoTrue's interface.
const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
/// The version whose errors have `code` and `message`.
const VERSION_2024: &str = "2024-01-01";

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub(super) struct ErrorBody {
    status: u16,
    code: &'static str,
    message: String,
    weaknesses: Option<Vec<&'static str>>,
    retry_after_seconds: Option<u64>,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        let weaknesses = if let Error::WeakPassword(weakness) = error {
            Some(weakness.reasons.clone())
        } else {
            None
        };
        Self {
            status: error.status().as_u16(),
            code: error.code(),
            message: error.public_message(),
            weaknesses,
            retry_after_seconds: error.retry_after_seconds(),
        }
    }
}

/// Writes errors as GoTrue does: `{code, error_code, msg}`, or `{code, message}` for clients that
/// ask for version 2024-01-01 or a later one.
pub(crate) async fn gotrue(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let is_2024 = asks_for_2024(&parts);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let Some(error) = error_of(&mut response) else {
        return response;
    };
    let body = if is_2024 {
        json!({ "code": error.code, "message": error.message })
    } else {
        json!({ "code": error.status, "error_code": error.code, "msg": error.message })
    };
    let mut response = written(response.status(), &error, body);
    if is_2024 {
        let version = HeaderValue::from_static(VERSION_2024);
        response.headers_mut().insert(API_VERSION, version);
    }
    response
}

/// Writes errors as the SelfDB interface does: `{detail, code}`.
pub(crate) async fn selfdb(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(error) = error_of(&mut response) else {
        return response;
    };
    let body = json!({ "detail": error.message, "code": error.code });
    written(response.status(), &error, body)
}

/// The error that a response stands for. A refusal without one is of a path or query that the
/// framework could not read.
fn error_of(response: &mut Response) -> Option<ErrorBody> {
    let error = response.extensions_mut().remove::<ErrorBody>();
    error.or_else(|| {
        let unreadable = Error::validation("The path or the query cannot be read");
        let is_refused = response.status().is_client_error();
        is_refused.then(|| ErrorBody {
            status: response.status().as_u16(),
            ..ErrorBody::from(&unreadable)
        })
    })
}

/// Versions are dates, so they compare as text.
fn asks_for_2024(request: &request::Parts) -> bool {
    let version = request.headers.get(API_VERSION);
    let version = version.and_then(|value| value.to_str().ok());
    version.is_some_and(|version| version.len() == VERSION_2024.len() && version >= VERSION_2024)
}

fn written(status: StatusCode, error: &ErrorBody, mut body: Value) -> Response {
    if let Some(reasons) = &error.weaknesses {
        body["weak_password"] = json!({ "reasons": reasons });
    }
    let mut answer = (status, Json(body)).into_response();
    if let Some(seconds) = error.retry_after_seconds {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
