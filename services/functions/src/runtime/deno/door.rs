//! The one way from inside a sandbox to the platform: a unix socket that leads to the gateway and
//! nowhere else. Loopback is closed to functions, and the gateway is usually there.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::headers;

const MOST_CONNECTIONS: usize = 512;

/// What a proxy would say about a client: a function has no say in that.
const FORWARDING: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// The socket and where it leads.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
    listener: UnixListener,
    target: Target,
    client: Client<HttpConnector, Incoming>,
    /// Connections at a time: functions must not use up the platform's descriptors.
    seats: Arc<Semaphore>,
}

/// The gateway.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Where it is reached from here.
    pub(super) address: Authority,
    /// The host it is known by.
    pub(super) public: Authority,
}

impl Door {
    /// Listens in `folder`; requests go to `target`.
    pub(super) fn open(folder: &Path, target: Target) -> io::Result<Self> {
        let path = folder.join("api.sock");
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666))?;
        Ok(Self {
            path,
            listener,
            target,
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            seats: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Answers connections, each in a task of `tasks`, until `closing`.
    pub(super) async fn serve(&self, tasks: &TaskTracker, closing: &CancellationToken) {
        loop {
            // Never closed, so there is always a seat in the end.
            let seat = Arc::clone(&self.seats).acquire_owned().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let connection = self.connection(stream);
                    let closing = closing.clone();
                    tasks.spawn(async move {
                        closing.run_until_cancelled(connection).await;
                        drop(seat);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "functions cannot reach the API for the moment");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn connection(&self, stream: UnixStream) -> impl Future<Output = ()> + Send + 'static {
        let (target, client) = (self.target.clone(), self.client.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (target, client) = (target.clone(), client.clone());
            async move { Ok::<_, Infallible>(forward(&target, &client, request).await) }
        });
        async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a function's connection to the API ended early");
            }
        }
    }
}

async fn forward(
    target: &Target,
    client: &Client<HttpConnector, Incoming>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    readdress(&mut parts.headers, &target.public);
    let path = parts.uri.path_and_query().cloned();
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(target.address.clone())
        .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
        .build();
    let Ok(uri) = uri else {
        return answer(StatusCode::BAD_REQUEST, "the path cannot be requested");
    };
    parts.uri = uri;
    match client.request(Request::from_parts(parts, body)).await {
        Ok(mut response) => {
            headers::strip(response.headers_mut());
            response.map(Body::new)
        }
        Err(error) => {
            tracing::warn!(error = %common::error::chain(&error), "a function's request did not reach the API");
            answer(StatusCode::BAD_GATEWAY, "the API cannot be reached")
        }
    }
}

fn readdress(headers: &mut HeaderMap, host: &Authority) {
    headers::strip(headers);
    for name in FORWARDING {
        headers.remove(HeaderName::from_static(name));
    }
    if let Ok(host) = HeaderValue::from_str(host.as_str()) {
        headers.insert(HOST, host);
    }
}

fn answer(status: StatusCode, message: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = status;
    response
}
