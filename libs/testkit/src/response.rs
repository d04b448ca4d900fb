//! A response, read to its end.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the service answered.
#[derive(Debug, Clone)]
pub struct TestResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl TestResponse {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// One header's text, where it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; what is none ends the test, shown.
    pub fn json(&self) -> Value {
        self.parse()
    }

    /// The body as JSON of a type.
    pub fn parse<T: DeserializeOwned>(&self) -> T {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| self.unreadable(&error))
    }

    /// This response, where it has `status`; any other ends the test, shown.
    #[track_caller]
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "answered {}", self.text());
        self
    }

    #[expect(
        clippy::panic,
        reason = "the test cannot go on: show what was answered"
    )]
    fn unreadable(&self, error: &serde_json::Error) -> ! {
        panic!("{} is no such JSON ({error}): {}", self.status, self.text())
    }
}
