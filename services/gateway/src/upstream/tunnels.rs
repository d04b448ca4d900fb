//! Websockets through to a service elsewhere: bytes copied both ways until either side ends.

use common::BoxError;
use common::error::chain;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The open websockets of one service.
#[derive(Debug, Clone)]
pub(crate) struct Tunnels {
    open: TaskTracker,
    closing: CancellationToken,
}

impl Tunnels {
    pub(crate) fn new() -> Self {
        Self {
            open: TaskTracker::new(),
            closing: CancellationToken::new(),
        }
    }

    /// Joins the two ends once both have switched protocols.
    pub(crate) fn join(&self, client: OnUpgrade, service: OnUpgrade) {
        let closing = self.closing.clone();
        self.open.spawn(async move {
            tokio::select! {
                () = closing.cancelled() => {}
                ended = copy(client, service) => if let Err(error) = ended {
                    tracing::debug!(error = %chain(&*error), "a websocket ended early");
                },
            }
        });
    }

    /// Ends every websocket; their clients connect anew.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.open.close();
        self.open.wait().await;
    }
}

async fn copy(client: OnUpgrade, service: OnUpgrade) -> Result<(), BoxError> {
    let (client, service) = tokio::try_join!(client, service)?;
    let (mut client, mut service) = (TokioIo::new(client), TokioIo::new(service));
    tokio::io::copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}
