//! Where requests go: a router in this process, or a service elsewhere. Both are asked the same
//! way and answer the same.

mod attentive;
mod remote;
mod tunnels;

pub(crate) use remote::UpstreamError;
pub(crate) use tunnels::Tunnels;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use common::Check;
use http::Uri;
use tower::Service as _;

use remote::Remote;

/// One service as the gateway reaches it.
#[derive(Debug)]
pub enum Upstream {
    /// The service's router, in this process, and what must hold before it can answer.
    InProcess(Router, Vec<Check>),
    /// The service as a process of its own.
    Remote(Box<Remote>),
}

/// Every service as the gateway reaches it.
#[derive(Debug)]
pub struct Upstreams {
    /// `/auth/v1`, `/api/v1/auth`, `/api/v1/users`.
    pub auth: Upstream,
    /// `/rest/v1`, `/graphql/v1`, `/api/v1/tables`, `/api/v1/schema`, `/api/v1/sql`.
    pub rest: Upstream,
    /// `/realtime/v1`, `/api/v1/realtime`.
    pub realtime: Upstream,
    /// `/storage/v1`, `/api/v1/buckets`, `/api/v1/files`.
    pub storage: Upstream,
    /// `/functions/v1`, `/api/v1/functions`.
    pub functions: Upstream,
}

impl Upstream {
    /// The service at `url`, of the form `http://host:port`.
    pub fn remote(url: Uri) -> Self {
        Self::Remote(Box::new(Remote::new(url)))
    }

    /// Hands `request` on and answers with the head of the response; its body follows as it comes.
    pub(crate) async fn call(&self, request: Request) -> Result<Response, UpstreamError> {
        match self {
            Self::InProcess(router, _) => match router.clone().call(request).await {
                Ok(response) => Ok(response),
                Err(never) => match never {},
            },
            Self::Remote(remote) => remote.call(request).await,
        }
    }

    /// What must hold before the service can answer.
    pub(crate) fn checks(&self) -> Vec<Check> {
        match self {
            Self::InProcess(_, checks) => checks.clone(),
            Self::Remote(remote) => vec![remote.check()],
        }
    }

    /// The websockets that run through to it, where it is elsewhere.
    pub(crate) fn tunnels(&self) -> Option<Tunnels> {
        match self {
            Self::InProcess(..) => None,
            Self::Remote(remote) => Some(remote.tunnels()),
        }
    }
}
