//! Keeping the server up until shutdown.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::server::Server;
use super::{LocalError, RunningPostgres, leftovers};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that ran this long starts again at once.
const STEADY: Duration = Duration::from_secs(2);

impl RunningPostgres {
    /// Starts the server again whenever it ends, until `shutdown`; then stops it. What still
    /// connects must be stopped first: the token is this server's own, not the services'.
    pub async fn supervise(mut self, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !shutdown.is_cancelled() {
            let started = Instant::now();
            let ended = tokio::select! {
                () = shutdown.cancelled() => break,
                ended = self.server.child.wait() => ended,
            };
            let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!(status, "Postgres ended: starting it again");
            metrics::counter!("selfdb_postgres_restarts_total").increment(1);
            let steady = started.elapsed() > STEADY;
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.start_again(&mut pause, steady) => {}
            }
        }
        tracing::info!("stopping Postgres");
        self.server.stop().await;
    }

    /// Tries until it is up, the first time at once where it had run for a while. A machine that
    /// cannot start it (a full disk) may recover.
    async fn start_again(&mut self, pause: &mut Duration, steady: bool) {
        let began = Instant::now();
        if steady {
            *pause = FIRST_PAUSE;
        } else {
            rest(pause).await;
        }
        while let Err(error) = self.try_start().await {
            tracing::error!(error = %common::error::chain(&error), "Postgres is down");
            rest(pause).await;
        }
        let duration_ms = began.elapsed().as_millis();
        tracing::info!(duration_ms, "Postgres is ready again");
    }

    async fn try_start(&mut self) -> Result<(), LocalError> {
        leftovers::kill_orphans(&self.setup.data).await?;
        self.server = Server::spawn(&self.setup)?;
        self.server.wait_ready(&self.setup).await
    }
}

async fn rest(pause: &mut Duration) {
    sleep(*pause).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}
