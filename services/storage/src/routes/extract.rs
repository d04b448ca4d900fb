//! Reading requests, with refusals in storage's own dialect.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::domain::key::{BucketId, InvalidBucketName, InvalidKey, ObjectKey};
use crate::error::Error;

/// The longest JSON body, in bytes: a thousand of the longest names and some.
const MAX_JSON_BYTES: usize = 2 * 1024 * 1024;

/// The bucket in a route's path.
pub(crate) struct BucketPath(pub(crate) BucketId);

impl<S: Send + Sync> FromRequestParts<S> for BucketPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(bucket) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| InvalidBucketName)?;
        Ok(Self(BucketId::parse(&bucket)?))
    }
}

/// The bucket and the object in a route's path.
pub(crate) struct ObjectPath {
    pub(crate) bucket: BucketId,
    pub(crate) key: ObjectKey,
}

impl<S: Send + Sync> FromRequestParts<S> for ObjectPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path((bucket, key)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| InvalidKey(parts.uri.path().to_owned()))?;
        Ok(Self {
            bucket: BucketId::parse(&bucket)?,
            key: ObjectKey::parse(&key)?,
        })
    }
}

/// A JSON body, whatever its media type says.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let invalid = |error: &dyn std::fmt::Display| {
            Error::InvalidRequest(format!("the body cannot be read: {error}"))
        };
        let bytes = to_bytes(request.into_body(), MAX_JSON_BYTES)
            .await
            .map_err(|error| invalid(&error))?;
        let value = serde_json::from_slice(&bytes).map_err(|error| invalid(&error))?;
        Ok(Self(value))
    }
}

/// Query parameters.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Query(value) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Error::InvalidRequest(error.body_text()))?;
        Ok(Self(value))
    }
}
