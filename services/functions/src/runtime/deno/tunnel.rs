//! A connection that has changed its protocol (WebSocket), passed on byte by byte.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::gate::Entry;

/// Joins the two ends until one closes or `closing`; the request counts as being worked on.
pub(super) async fn join(
    client: OnUpgrade,
    function: OnUpgrade,
    closing: CancellationToken,
    entry: Entry,
) {
    let ends = async { tokio::try_join!(client, function) };
    let Some(Ok((client, function))) = closing.run_until_cancelled(ends).await else {
        return;
    };
    let (mut client, mut function) = (TokioIo::new(client), TokioIo::new(function));
    let copy = tokio::io::copy_bidirectional(&mut client, &mut function);
    if let Some(Err(error)) = closing.run_until_cancelled(copy).await {
        tracing::debug!(%error, "a function's socket ended early");
    }
    drop(entry);
}
