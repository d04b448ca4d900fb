//! SIGUSR1 asks for a reload of the schema, SIGUSR2 for one of the configuration. Either reloads
//! both: one without the other may not fit.

use common::{BoxError, Task};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::live::Live;

/// Heeds the signals until shutdown.
pub(super) fn heed(live: &Live) -> Task {
    let live = live.clone();
    Task::new("signals", move |shutdown| listen(live.clone(), shutdown))
}

async fn listen(live: Live, shutdown: CancellationToken) -> Result<(), BoxError> {
    let mut schema = signal(SignalKind::user_defined1())?;
    let mut config = signal(SignalKind::user_defined2())?;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = schema.recv() => live.ask(),
            _ = config.recv() => live.ask(),
        }
    }
}
