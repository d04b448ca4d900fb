//! The id one request carries through every service and log line.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::random::Randomness;

/// The header a request id travels in.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id: a client's own where it is sane, else a random UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id in `headers` (1 to 128 characters of `A-Za-z0-9-_.`), else a new one.
    pub fn from_headers(headers: &HeaderMap, randomness: &dyn Randomness) -> Self {
        let sane = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            let safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            (1..=128).contains(&bytes.len()) && bytes.iter().all(safe)
        };
        match headers.get(HEADER).filter(sane) {
            Some(value) => Self(value.clone()),
            None => Self::random(randomness),
        }
    }

    /// A new random id.
    pub fn random(randomness: &dyn Randomness) -> Self {
        let text = randomness.uuid().to_string();
        Self(HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    /// The id as a header value.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("unknown")
    }
}
