//! The errors of `/api/v1`: `{detail, code}`.

use std::fmt::Write as _;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use pg::sqlx;
use serde_json::json;

use super::Error;
use crate::access::Unauthorized;
use crate::deployer::DeployError;
use crate::domain::code::CodeError;
use crate::domain::diagnostic::Diagnostic;

/// Why a request to `/api/v1` is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Unauthorized(#[from] Unauthorized),
    #[error("this is for administrators")]
    Forbidden,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Conflict(String),
    #[error("the code cannot be deployed")]
    Refused(Vec<Diagnostic>),
    /// No secret can be sealed or opened.
    #[error(
        "secrets need a key: set FUNCTIONS_SECRETS_KEY in the env file to 32 random characters or more"
    )]
    NoKey,
    #[error("the signature is not right")]
    Signature,
    #[error(transparent)]
    Function(#[from] Error),
    #[error("the database did not do it")]
    Store(#[from] sqlx::Error),
    #[error("the service could not do it")]
    Internal(#[source] common::BoxError),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized(_) | Self::Signature => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoKey => StatusCode::NOT_IMPLEMENTED,
            Self::Function(error) => error.status(),
            Self::Store(error) if pg::is_unavailable(error) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> String {
        let code = match self {
            Self::Unauthorized(refusal) => Error::from(refusal.clone()).code(),
            Self::Forbidden => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Conflict(_) => "conflict",
            Self::Refused(_) => "invalid_code",
            Self::NoKey => "no_secrets_key",
            Self::Signature => "invalid_signature",
            Self::Function(error) => error.code(),
            Self::Store(error) if pg::is_unavailable(error) => "unavailable",
            Self::Store(_) | Self::Internal(_) => "internal_error",
        };
        code.to_ascii_lowercase()
    }

    /// As an answer of the management API, with where the code is wrong in its text.
    pub(crate) fn into_message(self) -> Response {
        let mut message = self.detail();
        if let Self::Refused(diagnostics) = &self {
            for one in diagnostics.iter().filter(|one| one.is_error()) {
                let place = one.file.as_deref().unwrap_or_default();
                let (line, column) = (one.line.unwrap_or(1), one.column.unwrap_or(1));
                let _ = write!(message, "\n{place}:{line}:{column}: {}", one.message);
            }
        }
        let mut response = self.into_response();
        let body = Json(json!({ "message": message }))
            .into_response()
            .into_body();
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
        *response.body_mut() = body;
        response
    }

    fn detail(&self) -> String {
        match self {
            Self::Unauthorized(_)
            | Self::NotFound(_)
            | Self::Invalid(_)
            | Self::Conflict(_)
            | Self::Refused(_)
            | Self::NoKey
            | Self::Signature => self.to_string(),
            Self::Forbidden => "This is for administrators".to_owned(),
            Self::Function(error) => error.public_message(),
            Self::Store(error) if pg::is_unavailable(error) => {
                "The database does not answer at the moment".to_owned()
            }
            Self::Store(_) | Self::Internal(_) => "Something went wrong here".to_owned(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(_) | Self::Internal(_) => common::error::report("functions", &self),
            Self::Function(error) => error.report(),
            Self::Unauthorized(_)
            | Self::Forbidden
            | Self::NotFound(_)
            | Self::Invalid(_)
            | Self::Conflict(_)
            | Self::Refused(_)
            | Self::NoKey
            | Self::Signature => {}
        }
        let mut body = json!({ "detail": self.detail(), "code": self.code() });
        if let Self::Refused(diagnostics) = &self {
            body["diagnostics"] = json!(diagnostics);
        }
        let mut response = (self.status(), Json(body)).into_response();
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<CodeError> for ApiError {
    fn from(error: CodeError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<DeployError> for ApiError {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Code(error) => error.into(),
            DeployError::Refused(diagnostics) => Self::Refused(diagnostics),
            DeployError::Store(error) => Self::Store(error),
            DeployError::Start(error) => Self::Function(Error::Start(error.into())),
            DeployError::Internal(error) => Self::Internal(error),
        }
    }
}
