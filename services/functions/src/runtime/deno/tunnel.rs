//! A connection that has changed its protocol (WebSocket), passed on byte by byte.

use std::io;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::connections::Switched;
use super::gate::Entry;

/// Joins the two ends until one closes or `closing`; the request counts as being worked on.
pub(super) async fn join(
    client: OnUpgrade,
    function: Switched,
    closing: CancellationToken,
    entry: Entry,
) {
    let passed = pass(client, function);
    if let Some(Err(error)) = closing.run_until_cancelled(passed).await {
        tracing::debug!(%error, "a function's socket ended early");
    }
    drop(entry);
}

async fn pass(client: OnUpgrade, mut function: Switched) -> io::Result<()> {
    let client = client.await.map_err(io::Error::other)?;
    let mut client = TokioIo::new(client);
    client.write_all(&function.first).await?;
    let copied = tokio::io::copy_bidirectional(&mut client, &mut function.stream).await;
    copied.map(drop)
}
