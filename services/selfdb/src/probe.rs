//! One HTTP GET to a part of this platform, for health.

use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use common::error::BoxError;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// More than any health answer has, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The status and the text at `url`.
pub async fn get(url: &str) -> Result<(StatusCode, String), BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let response = client.get(url.parse::<Uri>()?).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await?;
    Ok((
        status,
        String::from_utf8_lossy(&body.to_bytes()).into_owned(),
    ))
}
