//! The HTTP/1.1 server every listener of the platform runs on: bounded connections and headers,
//! unambiguous framing, time-outs, upgrades, and a shutdown that lets requests in flight finish.

mod framing;
mod strict_stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::lifecycle::Lifecycle;
use strict_stream::StrictStream;

/// What one listener, and one connection of it, may take.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// From the first byte of a request to the end of its headers; also how long an idle
    /// connection is kept.
    pub header_read_timeout: Duration,
    /// Request line and headers together, in bytes; beyond it, and beyond 100 headers (hyper's own
    /// limit, kept because another one costs an allocation a request), hyper answers 431. A URL may
    /// take just under half of the default (65,534 bytes); beyond that hyper answers 414.
    pub max_head_bytes: usize,
    /// Connections at one time; further ones wait to be accepted.
    pub max_connections: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(75),
            max_head_bytes: 128 * 1024,
            max_connections: 16 * 1024,
        }
    }
}

/// Binds `address`; the error names it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the operating system answered.
    pub source: std::io::Error,
}

/// Serves `router` on `listener` until the soft shutdown; connections then finish what they are
/// doing. Each request carries its peer as [`ConnectInfo`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    lifecycle: Lifecycle,
) {
    let soft = lifecycle.soft();
    let places = Arc::new(Semaphore::new(limits.max_connections));
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = soft.cancelled() => return,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection =
                    connection(stream, peer, router.clone(), limits, lifecycle.clone());
                lifecycle.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: shed load instead of spinning on the error.
                tracing::warn!(%error, "cannot accept connections for the moment");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: ServerLimits,
    lifecycle: Lifecycle,
) {
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(StrictStream::new(stream));
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_buf_size(limits.max_head_bytes)
        .max_header_size(limits.max_head_bytes)
        .serve_connection(stream, TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = lifecycle.soft().cancelled_owned() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}
