//! What the service answers over HTTP when it refuses.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::changes::AccessError;

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token or key, or one that is not valid.
    #[error("no valid token or key")]
    Unauthorized,
    /// Policies on `realtime.messages` don't let the bearer send.
    #[error("policies do not allow to send to the topic")]
    Forbidden,
    /// A web page of another origin.
    #[error("the origin is not allowed")]
    Origin,
    /// A body of a type that is neither JSON nor bytes.
    #[error("the content type is not supported")]
    MediaType,
    /// Something in the request is wrong; the text says what.
    #[error("{0}")]
    Invalid(&'static str),
    /// Too many sockets.
    #[error("too many sockets are open")]
    TooManyClients,
    /// Too many messages of one key.
    #[error("too many messages of one key")]
    TooManyMessages,
    /// The policies could not be read.
    #[error("the policies could not be read")]
    Access(#[from] AccessError),
}

impl Error {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Origin => StatusCode::FORBIDDEN,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyClients | Self::TooManyMessages => StatusCode::TOO_MANY_REQUESTS,
            Self::Access(error) if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Access(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The kind of refusal, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::Origin => "OriginNotAllowed",
            Self::MediaType => "UnsupportedMediaType",
            Self::Invalid(_) => "InvalidRequest",
            Self::TooManyClients => "ConnectionRateLimitReached",
            Self::TooManyMessages => "MessageRateLimitReached",
            Self::Access(error) if error.is_unavailable() => "ServiceUnavailable",
            Self::Access(_) => "InternalError",
        }
    }

    /// What a client is told.
    pub fn public_message(&self) -> &'static str {
        match self {
            Self::Unauthorized => "A valid API key or access token is needed",
            Self::Forbidden => "You do not have permissions to write to this topic",
            Self::Origin => "This origin may not open sockets",
            Self::MediaType => "The body must be application/json or application/octet-stream",
            Self::Invalid(message) => message,
            Self::TooManyClients => "Too many connected users",
            Self::TooManyMessages => "Too many messages per second",
            Self::Access(error) if error.is_unavailable() => "The database is not reachable",
            Self::Access(_) => "Something went wrong on our side",
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            common::error::report("realtime", &self);
        }
        let body = json!({ "error": self.public_message(), "code": self.code() });
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}
