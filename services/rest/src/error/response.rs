//! The wire dialect of errors, written once.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};

use super::{ApiError, DatabaseError, Error, IdempotencyError, RangeError, outage};

impl Error {
    /// `{code, message, details, hint}`, and which `operation` of a transaction it was.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "code": self.code(),
            "details": self.details(),
            "hint": self.hint(),
            "message": self.public_message(),
        });
        if let Self::Operation { index, .. } = self
            && let Some(fields) = body.as_object_mut()
        {
            fields.insert("operation".to_owned(), (*index).into());
        }
        body
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() && !outage::noted(&self) {
            common::error::report("rest", &self);
        }
        let mut response = (status, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(CONTENT_TYPE, json);
        let proxy = format!("PostgREST; error={}", self.code());
        if let Ok(value) = HeaderValue::try_from(proxy) {
            headers.insert("proxy-status", value);
        }
        let passes = matches!(self, Self::Idempotency(IdempotencyError::Busy));
        if status == StatusCode::SERVICE_UNAVAILABLE || passes {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED
            && let Ok(value) = HeaderValue::try_from(self.challenge())
        {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if let Self::Api(ApiError::Range(RangeError::OutOfBounds { total, .. })) = self.cause()
            && let Ok(range) = HeaderValue::try_from(format!("*/{total}"))
        {
            headers.insert(CONTENT_RANGE, range);
        }
        if let Self::Database(error) = self.cause() {
            extend(headers, error);
            if let Some(text) = error.status_text()
                && let Ok(reason) = ReasonPhrase::try_from(text.as_bytes())
            {
                response.extensions_mut().insert(reason);
            }
        }
        response
    }
}

impl Error {
    /// The error itself, of whichever operation.
    pub(super) fn cause(&self) -> &Self {
        if let Self::Operation { error, .. } = self {
            return error.cause();
        }
        self
    }

    fn challenge(&self) -> String {
        match self {
            Self::Token(failure) => failure.challenge(),
            Self::Operation { error, .. } => error.challenge(),
            Self::Api(_)
            | Self::Cache(_)
            | Self::Database(_)
            | Self::Idempotency(_)
            | Self::Keyset(_)
            | Self::Transaction(_)
            | Self::NoSchemaCache
            | Self::BodyTooLarge(_)
            | Self::BodyLost
            | Self::NoRow(_)
            | Self::AdminOnly { .. }
            | Self::Shape(_)
            | Self::Spool(_) => "Bearer".to_owned(),
        }
    }
}

fn extend(headers: &mut http::HeaderMap, error: &DatabaseError) {
    for (name, value) in error.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}
