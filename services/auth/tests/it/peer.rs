//! Somebody whom the service asks, on a port of this machine.

use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server, until it is dropped.
pub(crate) struct Peer {
    url: String,
    task: JoinHandle<()>,
}

impl Peer {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = Self::listener().await;
        Self::on(listener, router)
    }

    /// A port that is known before the routes are.
    pub(crate) async fn listener() -> TcpListener {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port")
    }

    pub(crate) fn on(listener: TcpListener, router: Router) -> Self {
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server");
        });
        Self { url, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
