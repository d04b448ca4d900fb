//! Requests this service makes to others: templates, providers, hooks.
//!
//! A name is resolved once and the address that was checked is the one that is connected to.
//! Addresses of this machine and of private networks are refused unless the operator named their
//! host. Redirects are not followed. Everything is bounded: time, and the bytes of an answer.

pub mod address;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use common::BoxError;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use url::Url;

/// How long a request may take in all, unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const MAX_ANSWER: usize = 1024 * 1024;

/// Makes requests.
#[derive(Debug, Clone)]
pub struct Outbound {
    tls: Arc<ClientConfig>,
    /// Hosts that may be on this machine or in a private network.
    private_hosts: Arc<[String]>,
}

/// A request to somebody else.
#[derive(Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its headers, but `Host`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// How long it may take.
    pub timeout: Duration,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Neither http nor https, or without a host.
    #[error("the address is not one of http or https")]
    Address,
    /// The host is on this machine or in a private network, and was not named in
    /// `AUTH_PRIVATE_HOSTS`.
    #[error("the host {0} is at an address that is not public: name it in AUTH_PRIVATE_HOSTS")]
    Private(String),
    /// It took too long.
    #[error("there was no answer in time")]
    Timeout,
    /// The connection or the exchange failed.
    #[error("the request failed")]
    Failed(#[source] BoxError),
    /// The answer is not what was asked for.
    #[error("the answer cannot be used: {0}")]
    Answer(String),
}

impl Call {
    /// A request without a body.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: TIMEOUT,
        }
    }

    /// A request with a body of this content type.
    pub fn post(url: Url, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut call = Self::get(url).with("content-type", HeaderValue::from_static(content_type));
        call.method = Method::POST;
        call.body = body.into();
        call
    }

    /// With one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Asking for JSON.
    #[must_use]
    pub fn accept_json(self) -> Self {
        self.with("accept", HeaderValue::from_static("application/json"))
    }

    /// With `Authorization: Bearer token`, where the token can be a header's value.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        match HeaderValue::try_from(format!("Bearer {token}")) {
            Ok(value) => self.with("authorization", value),
            Err(_) => self,
        }
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OutboundError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| OutboundError::Answer(format!("{error} (status {})", self.status)))
    }
}

impl Outbound {
    /// A client that trusts the authorities this machine trusts.
    pub fn new(private_hosts: Vec<String>) -> Result<Self, BoxError> {
        Ok(Self {
            tls: Arc::new(stream::tls_config()?),
            private_hosts: private_hosts.into(),
        })
    }

    /// Makes a request and reads the answer, whatever its status.
    pub async fn call(&self, call: Call) -> Result<Answer, OutboundError> {
        let timeout = call.timeout;
        tokio::time::timeout(timeout, Box::pin(self.exchange(call)))
            .await
            .map_err(|_| OutboundError::Timeout)?
    }

    async fn exchange(&self, call: Call) -> Result<Answer, OutboundError> {
        let addresses = self.resolve(&call.url).await?;
        let stream = stream::connect(&call.url, &addresses, &self.tls).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        let request = request(call)?;
        let exchange = async move {
            let response = sender.send_request(request).await.map_err(failed)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(OutboundError::Failed)?.to_bytes();
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        // The connection is driven only as long as somebody waits for the answer.
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            ended = connection => {
                ended.map_err(failed)?;
                exchange.await
            }
        }
    }

    async fn resolve(&self, url: &Url) -> Result<Vec<SocketAddr>, OutboundError> {
        let host = url.host_str().ok_or(OutboundError::Address)?;
        let port = url.port_or_known_default().ok_or(OutboundError::Address)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((bare, port))
            .await
            .map_err(failed)?;
        let found: Vec<SocketAddr> = found.collect();
        let is_named = self
            .private_hosts
            .iter()
            .any(|name| name == host || name == bare);
        let refused = found.iter().any(|found| !address::is_public(found.ip()));
        if found.is_empty() || (refused && !is_named) {
            return Err(OutboundError::Private(host.to_owned()));
        }
        Ok(found)
    }
}

fn request(call: Call) -> Result<axum::http::Request<Full<Bytes>>, OutboundError> {
    let mut authority = call.url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = call.url.port() {
        authority = format!("{authority}:{port}");
    }
    let mut target = call.url.path().to_owned();
    if let Some(query) = call.url.query() {
        target = format!("{target}?{query}");
    }
    let mut request = axum::http::Request::builder()
        .method(call.method)
        .uri(target)
        .header(HOST, authority)
        .header(USER_AGENT, "selfdb-auth")
        .body(Full::new(call.body))
        .map_err(failed)?;
    request.headers_mut().extend(call.headers);
    Ok(request)
}

fn failed(error: impl Into<BoxError>) -> OutboundError {
    OutboundError::Failed(error.into())
}
