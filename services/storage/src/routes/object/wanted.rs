//! What a request to read an object asks for.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use serde::de::DeserializeOwned;

use super::delivery::Part;
use crate::error::Error;
use crate::routes::extract::{ObjectPath, Params};

/// What a GET or HEAD asks for, with the query parameters `P`.
pub(crate) struct Wanted<P> {
    pub(crate) path: ObjectPath,
    pub(crate) params: P,
    pub(crate) headers: HeaderMap,
    pub(crate) part: Part,
}

impl<S: Send + Sync, P: DeserializeOwned + Send> FromRequestParts<S> for Wanted<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Params(params) = Params::from_request_parts(parts, state).await?;
        Ok(Self {
            path: ObjectPath::from_request_parts(parts, state).await?,
            params,
            headers: parts.headers.clone(),
            part: if parts.method == Method::HEAD {
                Part::Head
            } else {
                Part::HeadAndBody
            },
        })
    }
}
