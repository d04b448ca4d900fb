//! A service at a URL: pooled connections, bodies streamed both ways, websockets tunnelled.

use std::error::Error as _;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use common::Check;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::attentive::AttentiveConnector;
use super::tunnels::Tunnels;
use crate::layers::hop_by_hop;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Shorter than a service keeps an idle connection (75 s), so that no request is written to one
/// that is just being closed.
const IDLE_FOR: Duration = Duration::from_secs(30);
const READY_WITHIN: Duration = Duration::from_secs(3);

/// Why a service elsewhere gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// No connection, or one that was closed before the request was written: it was not sent.
    #[error("the service cannot be reached: {0}")]
    Unreachable(#[source] legacy::Error),
    /// The connection ended before the answer: the request may have been carried out.
    #[error("the service broke off its answer: {0}")]
    BrokeOff(#[source] legacy::Error),
    /// The service's URL and the request's path make no URL together.
    #[error("the request has no URL at the service: {0}")]
    Address(#[from] http::Error),
}

/// A service at a URL.
#[derive(Debug, Clone)]
pub struct Remote {
    authority: Option<Authority>,
    client: Client<AttentiveConnector, Body>,
    tunnels: Tunnels,
}

impl Remote {
    pub(crate) fn new(url: Uri) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .build(AttentiveConnector(connector));
        Self {
            authority: url.into_parts().authority,
            client,
            tunnels: Tunnels::new(),
        }
    }

    pub(crate) fn tunnels(&self) -> Tunnels {
        self.tunnels.clone()
    }

    /// Sends `request` once. A pooled connection found closed before anything was written to it is
    /// replaced; nothing is ever sent twice.
    pub(crate) async fn call(&self, mut request: Request) -> Result<Response, UpstreamError> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = self.address(path)?;
        *request.version_mut() = Version::HTTP_11;
        let client_side = request.extensions_mut().remove::<OnUpgrade>();
        let mut response = self.client.request(request).await.map_err(classify)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            if let Some(client_side) = client_side {
                let service_side = hyper::upgrade::on(&mut response);
                self.tunnels.join(client_side, service_side);
            }
        } else {
            hop_by_hop::strip(response.headers_mut());
        }
        Ok(response.map(Body::new))
    }

    /// Asks the service's own `/ready`.
    pub(crate) fn check(&self) -> Check {
        let remote = self.clone();
        Check::new("reachable", move || {
            let remote = remote.clone();
            async move { remote.ready().await }
        })
    }

    async fn ready(&self) -> Result<(), String> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static("/ready");
        match tokio::time::timeout(READY_WITHIN, self.call(request)).await {
            Ok(Ok(response)) if response.status() == StatusCode::OK => Ok(()),
            Ok(Ok(_)) => Err("not ready".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    fn address(&self, path: Option<PathAndQuery>) -> Result<Uri, http::Error> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority.clone_from(&self.authority);
        parts.path_and_query = path.or_else(|| Some(PathAndQuery::from_static("/")));
        Ok(Uri::from_parts(parts)?)
    }
}

fn classify(error: legacy::Error) -> UpstreamError {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    let is_unsent = cause.is_some_and(hyper::Error::is_canceled);
    if error.is_connect() || is_unsent {
        UpstreamError::Unreachable(error)
    } else {
        UpstreamError::BrokeOff(error)
    }
}
