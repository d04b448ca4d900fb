//! A request to speak WebSocket (RFC 6455, section 4.2).

use std::future::Future;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A valid request to speak WebSocket.
pub(super) struct Handshake {
    on_upgrade: OnUpgrade,
    accept: HeaderValue,
}

/// Why a request is none, in words.
pub(super) struct NotWebSocket(StatusCode, &'static str);

impl IntoResponse for NotWebSocket {
    fn into_response(self) -> Response {
        let Self(status, reason) = self;
        let mut response = (status, reason).into_response();
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Handshake {
    type Rejection = NotWebSocket;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotWebSocket> {
        let bad = |reason| Err(NotWebSocket(StatusCode::BAD_REQUEST, reason));
        if parts.method != Method::GET || parts.version != Version::HTTP_11 {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(NotWebSocket(status, "Request method must be `GET`"));
        }
        if !lists(&parts.headers, &CONNECTION, "upgrade") {
            return bad("Connection header did not include 'upgrade'");
        }
        if !lists(&parts.headers, &UPGRADE, "websocket") {
            return bad("`Upgrade` header did not include 'websocket'");
        }
        if !lists(&parts.headers, &SEC_WEBSOCKET_VERSION, "13") {
            return bad("`Sec-WebSocket-Version` header did not include '13'");
        }
        let Some(key) = parts.headers.get(SEC_WEBSOCKET_KEY) else {
            return bad("`Sec-WebSocket-Key` header missing");
        };
        let accept = derive_accept_key(key.as_bytes());
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        match (on_upgrade, HeaderValue::from_str(&accept)) {
            (Some(on_upgrade), Ok(accept)) => Ok(Self { on_upgrade, accept }),
            (_, _) => Err(NotWebSocket(
                StatusCode::UPGRADE_REQUIRED,
                "WebSocket request couldn't be upgraded since no upgrade state was present",
            )),
        }
    }
}

/// Whether a header has `wanted` among its comma-separated values.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter();
    let mut values = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    values.any(|value| value.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

impl Handshake {
    /// Agrees; `speak` is given the connection once the answer is sent.
    pub(super) fn accept<F>(
        self,
        speak: impl FnOnce(TokioIo<Upgraded>) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let on_upgrade = self.on_upgrade;
        tokio::spawn(async move {
            match on_upgrade.await {
                Ok(upgraded) => speak(TokioIo::new(upgraded)).await,
                Err(error) => tracing::debug!(%error, "a socket was gone before it was there"),
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        response
    }
}
