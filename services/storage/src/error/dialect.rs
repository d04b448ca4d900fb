//! Errors on the wire.

use axum::Json;
use axum::http::header::{CONTENT_RANGE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Error;
use crate::domain::signature::SignatureError;

/// How clients tell an error.
struct Facts {
    /// The real status.
    status: u16,
    /// Supabase's code: `NoSuchKey`.
    code: &'static str,
    /// What Supabase's older clients read: `not_found`.
    error: &'static str,
}

impl Error {
    /// The status, Supabase's code, and what may be said to whoever asked.
    pub(crate) fn told(&self) -> (u16, &'static str, String) {
        let facts = self.facts();
        (facts.status, facts.code, self.public_message())
    }

    fn facts(&self) -> Facts {
        let (status, code, error) = match self {
            Self::InvalidKey(_) => (400, "InvalidKey", "InvalidKey"),
            Self::InvalidBucketName(_) => (400, "InvalidBucketName", "Invalid Input"),
            Self::NoSuchBucket => (404, "NoSuchBucket", "Bucket not found"),
            Self::NoSuchKey => (404, "NoSuchKey", "not_found"),
            Self::NoSuchUpload => (404, "NoSuchUpload", "not_found"),
            Self::UploadExpired => (410, "NoSuchUpload", "expired"),
            Self::BadDigest => (400, "BadDigest", "BadDigest"),
            Self::Image(error) => (error.status(), "InvalidRequest", "ImageProcessingError"),
            Self::KeyAlreadyExists => (409, "KeyAlreadyExists", "Duplicate"),
            Self::BucketAlreadyExists => (409, "BucketAlreadyExists", "Duplicate"),
            Self::BucketNotEmpty => (409, "InvalidRequest", "InvalidRequest"),
            Self::MissingToken => (400, "InvalidRequest", "Error"),
            Self::InvalidToken(_) | Self::AccessDenied(_) => (403, "AccessDenied", "Unauthorized"),
            Self::Signature(SignatureError::Forged | SignatureError::Mismatch) => {
                (400, "InvalidSignature", "InvalidSignature")
            }
            Self::Signature(SignatureError::Expired) => (400, "ExpiredToken", "ExpiredToken"),
            Self::EntityTooLarge => (413, "EntityTooLarge", "Payload too large"),
            Self::UnsupportedMimeType(_) => (415, "InvalidMimeType", "invalid_mime_type"),
            Self::InvalidRange(_) => (416, "InvalidRange", "invalid_range"),
            Self::PreconditionFailed => (412, "PreconditionFailed", "PreconditionFailed"),
            Self::InvalidRequest(_) | Self::NoContent | Self::Incomplete(_) => {
                (400, "InvalidRequest", "InvalidRequest")
            }
            Self::StorageFull(_) => (507, "InsufficientStorage", "InsufficientStorage"),
            Self::Unavailable(_) => (503, "DatabaseUnavailable", "DatabaseUnavailable"),
            Self::DatabaseTimeout => (544, "DatabaseTimeout", "DatabaseTimeout"),
            Self::Locked => (423, "ResourceLocked", "ResourceLocked"),
            Self::Backend(_) | Self::Database(_) => (500, "InternalError", "Internal"),
        };
        Facts {
            status,
            code,
            error,
        }
    }

    /// What may be said to whoever asked.
    fn public_message(&self) -> String {
        match self {
            Self::Backend(_) | Self::Database(_) => "Internal Server Error".to_owned(),
            Self::InvalidKey(_)
            | Self::InvalidBucketName(_)
            | Self::NoSuchBucket
            | Self::NoSuchKey
            | Self::NoSuchUpload
            | Self::UploadExpired
            | Self::BadDigest
            | Self::Image(_)
            | Self::KeyAlreadyExists
            | Self::BucketAlreadyExists
            | Self::BucketNotEmpty
            | Self::MissingToken
            | Self::InvalidToken(_)
            | Self::AccessDenied(_)
            | Self::Signature(_)
            | Self::EntityTooLarge
            | Self::UnsupportedMimeType(_)
            | Self::InvalidRange(_)
            | Self::PreconditionFailed
            | Self::InvalidRequest(_)
            | Self::NoContent
            | Self::Incomplete(_)
            | Self::StorageFull(_)
            | Self::Unavailable(_)
            | Self::DatabaseTimeout
            | Self::Locked => self.to_string(),
        }
    }

    fn add_headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Self::InvalidRange(size) = self
            && let Ok(value) = HeaderValue::try_from(format!("bytes */{size}"))
        {
            headers.insert(CONTENT_RANGE, value);
        }
        if matches!(self, Self::Unavailable(_)) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What an answer refuses with, for those who say it in another dialect.
#[derive(Clone)]
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn of(error: &Error, facts: &Facts) -> Self {
        let unauthorised = matches!(error, Error::MissingToken | Error::InvalidToken(_));
        // 544 is Supabase's own.
        let status = match facts.status {
            _ if unauthorised => 401,
            544 => 504,
            status => status,
        };
        Self {
            status,
            code: facts.code,
            message: error.public_message(),
        }
    }
}

/// Supabase's dialect.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let facts = self.facts();
        let refusal = Refusal::of(&self, &facts);
        if facts.status >= 500 {
            common::error::report("storage", &self);
        }
        let kept = facts.status >= 500 || matches!(facts.status, 412 | 416);
        let outside = if kept { facts.status } else { 400 };
        let body = json!({
            "statusCode": facts.status.to_string(),
            "error": facts.error,
            "message": refusal.message,
            "code": facts.code,
        });
        let mut response = (status_code(outside), Json(body)).into_response();
        self.add_headers(&mut response);
        response.extensions_mut().insert(refusal);
        response
    }
}

/// `response` as `/api/v1` says it: a refusal has its real status, and the body `{detail, code}`.
pub(crate) async fn in_selfdb_dialect(response: Response) -> Response {
    let Some(refusal) = response.extensions().get::<Refusal>().cloned() else {
        return response;
    };
    let body = Json(json!({ "detail": refusal.message, "code": refusal.code }));
    let mut said = (status_code(refusal.status), body).into_response();
    for name in [CONTENT_RANGE, RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            said.headers_mut().insert(name, value.clone());
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::backend::BackendError;

    #[tokio::test]
    async fn each_dialect_says_a_refusal_its_own_way() {
        let table = [
            (Error::NoSuchKey, 400, 404),
            (Error::MissingToken, 400, 401),
            (Error::InvalidToken("expired".to_owned()), 400, 401),
            (Error::AccessDenied("no"), 400, 403),
            (Error::EntityTooLarge, 400, 413),
            (Error::InvalidRange(3), 416, 416),
            (Error::PreconditionFailed, 412, 412),
            (Error::DatabaseTimeout, 544, 504),
        ];
        for (error, supabase, selfdb) in table {
            let name = format!("{error:?}");
            let response = error.into_response();
            assert_eq!(response.status().as_u16(), supabase, "{name}");
            let response = in_selfdb_dialect(response).await;
            assert_eq!(response.status().as_u16(), selfdb, "{name}");
        }
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let status = |kind: ErrorKind| {
            let error = BackendError::from(std::io::Error::from(kind));
            Error::from(error).into_response().status().as_u16()
        };
        assert_eq!(status(ErrorKind::StorageFull), 507);
        assert_eq!(status(ErrorKind::QuotaExceeded), 507);
        assert_eq!(status(ErrorKind::PermissionDenied), 500);
    }
}
