//! Storage's errors in S3's words.

use axum::http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::error::Error;

impl From<Error> for S3Error {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::NoSuchBucket => (404, "NoSuchBucket"),
            Error::NoSuchKey => (404, "NoSuchKey"),
            Error::NoSuchUpload | Error::UploadExpired => (404, "NoSuchUpload"),
            Error::KeyAlreadyExists | Error::PreconditionFailed => (412, "PreconditionFailed"),
            Error::BucketAlreadyExists => (409, "BucketAlreadyOwnedByYou"),
            Error::BucketNotEmpty => (409, "BucketNotEmpty"),
            Error::MissingToken | Error::AccessDenied(_) => (403, "AccessDenied"),
            Error::InvalidToken(_) => (400, "InvalidToken"),
            Error::Signature(_) => (403, "SignatureDoesNotMatch"),
            Error::EntityTooLarge => (400, "EntityTooLarge"),
            Error::InvalidRange(_) => (416, "InvalidRange"),
            Error::InvalidBucketName(_) => (400, "InvalidBucketName"),
            Error::BadDigest => (400, "BadDigest"),
            Error::Incomplete(_) => (400, "IncompleteBody"),
            Error::InvalidKey(_)
            | Error::UnsupportedMimeType(_)
            | Error::InvalidRequest(_)
            | Error::NoContent
            | Error::Image(_) => (400, "InvalidRequest"),
            Error::StorageFull(_) => (507, "InsufficientStorage"),
            Error::Unavailable(_) | Error::DatabaseTimeout => (503, "ServiceUnavailable"),
            Error::Locked => (409, "OperationAborted"),
            Error::Backend(_) | Error::Database(_) => (500, "InternalError"),
        };
        if status >= 500 {
            common::error::report("storage", &error);
        }
        let (_, _, message) = error.told();
        let known = S3ErrorCode::from_bytes(code.as_bytes());
        let code = known.unwrap_or_else(|| S3ErrorCode::Custom(code.into()));
        let mut said = Self::with_message(code, message);
        if let Ok(status) = StatusCode::from_u16(status) {
            said.set_status_code(status);
        }
        said
    }
}

/// As [`S3Error`] of storage's error, for what is not one yet.
pub(super) fn s3(error: impl Into<Error>) -> S3Error {
    error.into().into()
}
