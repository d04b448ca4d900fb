//! Why a function did not answer, in the words of Supabase's platform; and, apart from it, the
//! errors of `/api/v1`.

mod api;

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::access::Unauthorized;
use crate::runtime::{Failure, StartError};

pub(crate) use api::ApiError;

/// The header that repeats the code, for clients that leave the body to the caller.
pub(crate) const ERROR_CODE: HeaderName = HeaderName::from_static("sb-error-code");
/// Set where the platform could not bring the request to the function at all.
const RELAY_ERROR: HeaderName = HeaderName::from_static("x-relay-error");

/// Why a request has no answer of a function.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no function has this name")]
    NotFound,
    #[error("the function does not take this method")]
    MethodNotAllowed,
    #[error(transparent)]
    Unauthorized(#[from] Unauthorized),
    #[error("the function did not start")]
    Start(#[source] Arc<StartError>),
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error("the function's processes end as fast as they are started")]
    NoWorker,
}

impl Error {
    /// The status it is told with.
    pub(crate) fn status(&self) -> StatusCode {
        // Not a registered status: Supabase's own for what a limit has ended.
        let limit = || StatusCode::from_u16(546).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Start(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(failure) => match failure {
                Failure::Crashed => StatusCode::INTERNAL_SERVER_ERROR,
                Failure::LimitExceeded | Failure::Overloaded => limit(),
                Failure::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                Failure::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Failure::ClientGone => StatusCode::BAD_REQUEST,
            },
            Self::NoWorker => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Unauthorized(refusal) => match refusal {
                Unauthorized::NoHeader => "UNAUTHORIZED_NO_AUTH_HEADER",
                Unauthorized::HeaderFormat | Unauthorized::TokenFormat => {
                    "UNAUTHORIZED_INVALID_JWT_FORMAT"
                }
                Unauthorized::Algorithm(_) => "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM",
                Unauthorized::Symmetric => "UNAUTHORIZED_LEGACY_JWT",
                Unauthorized::Asymmetric => "UNAUTHORIZED_ASYMMETRIC_JWT",
            },
            Self::Start(error) => match **error {
                StartError::Broken(_) => "BOOT_ERROR",
                StartError::Full => "WORKER_LIMIT",
                StartError::Unavailable(_) => "SERVICE_UNAVAILABLE",
            },
            Self::Failed(failure) => match failure {
                Failure::Crashed => "WORKER_ERROR",
                Failure::LimitExceeded | Failure::Overloaded => "WORKER_LIMIT",
                Failure::TimedOut => "IDLE_TIMEOUT",
                Failure::BodyTooLarge => "PAYLOAD_TOO_LARGE",
                Failure::ClientGone => "BAD_REQUEST",
            },
            Self::NoWorker => "WORKER_ERROR",
        }
    }

    fn public_message(&self) -> String {
        let message = match self {
            Self::NotFound => "Requested function was not found",
            Self::MethodNotAllowed => "The function does not take this method",
            Self::Unauthorized(refusal) => return refusal.to_string(),
            Self::Start(error) => match **error {
                StartError::Broken(_) => "Function failed to start (please check logs)",
                StartError::Full => "Every function process is busy",
                StartError::Unavailable(_) => "Functions cannot be run at the moment",
            },
            Self::NoWorker | Self::Failed(Failure::Crashed) => {
                "Function exited due to an error (please check logs)"
            }
            Self::Failed(Failure::LimitExceeded | Failure::Overloaded) => {
                "Function failed due to not having enough compute resources (please check logs)"
            }
            Self::Failed(Failure::TimedOut) => "Request idle timeout limit reached",
            Self::Failed(Failure::BodyTooLarge) => "The request's body is too large",
            Self::Failed(Failure::ClientGone) => "The request's body ended early",
        };
        message.to_owned()
    }

    /// Whether the platform itself was at fault.
    fn is_relay_failure(&self) -> bool {
        match self {
            Self::Start(error) => !matches!(**error, StartError::Broken(_)),
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::Unauthorized(_)
            | Self::Failed(_)
            | Self::NoWorker => false,
        }
    }

    fn report(&self) {
        if let Self::Start(error) = self
            && let StartError::Unavailable(_) = **error
        {
            common::error::report("functions", error);
        }
    }
}

impl IntoResponse for Error {
    /// As Supabase's functions do: `{code, message}`, a refusal with `msg` as well, and the code
    /// in a header.
    fn into_response(self) -> Response {
        self.report();
        let (code, message) = (self.code(), self.public_message());
        let mut body = json!({ "code": code, "message": message });
        if let Self::Unauthorized(_) = self {
            body["msg"] = message.into();
        }
        let mut response = (self.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(ERROR_CODE, HeaderValue::from_static(code));
        if self.is_relay_failure() {
            headers.insert(RELAY_ERROR, HeaderValue::from_static("true"));
        }
        response
    }
}
