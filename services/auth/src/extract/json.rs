//! The JSON body of a request.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;

use super::unique_json::UniqueJson;
use crate::error::Error;

/// A body read as JSON, whatever its content type says, as GoTrue does. Keys nobody asked for are
/// ignored. How long it may be is the router's limit.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let bytes = body(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// The whole body; empty where there is none.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            let message = rejection.body_text();
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                Error::BodyTooLarge
            } else {
                Error::BadJson(message)
            }
        })
}

/// Reads JSON strictly; what is wrong with a field's type is told without its value.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let UniqueJson(value) =
        serde_json::from_slice(bytes).map_err(|error| Error::BadJson(error.to_string()))?;
    serde_json::from_value(value).map_err(|_| {
        Error::BadJson("the body is not an object whose fields have the right types".to_owned())
    })
}
