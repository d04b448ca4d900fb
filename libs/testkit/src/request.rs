//! A request being put together: `service.post("/todos").bearer(&token).json(&row).await`.

use std::future::IntoFuture;
use std::pin::Pin;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use serde::Serialize;

use crate::TestResponse;
use crate::service::Transport;

/// Sent when it is awaited.
#[derive(Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct TestRequest {
    transport: Transport,
    request: Request<Body>,
}

impl TestRequest {
    pub(crate) fn new(transport: Transport, method: Method, uri: String) -> Self {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::empty());
        Self {
            transport,
            request: request.expect("a path that is a URI"),
        }
    }

    /// With a header; a second one of the same name is sent beside the first.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header's name");
        let value = HeaderValue::try_from(value).expect("a header's value");
        self.request.headers_mut().append(name, value);
        self
    }

    /// With `Authorization: Bearer token`.
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// With `apikey: key`.
    pub fn apikey(self, key: &str) -> Self {
        self.header("apikey", key)
    }

    /// With a JSON body.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        let text = serde_json::to_vec(value).expect("a value that is JSON");
        self.header(CONTENT_TYPE.as_str(), "application/json")
            .body(text)
    }

    /// With a body, and no content type but one set by [`TestRequest::header`].
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Sends it and answers as soon as the head of the response is there.
    pub async fn open(self) -> Response<Body> {
        self.transport.send(self.request).await
    }
}

impl IntoFuture for TestRequest {
    type Output = TestResponse;
    type IntoFuture = Pin<Box<dyn Future<Output = TestResponse> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { TestResponse::read(self.open().await).await })
    }
}
