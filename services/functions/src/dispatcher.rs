//! Calling functions without a client: schedules become calls when their time has come, and calls
//! are delivered, tried again, and given up. Postgres holds all of it, so that nothing is lost with
//! a node, and several nodes share the work.

mod delivery;
mod schedules;

use std::sync::Arc;
use std::time::Duration;

use common::{BoxError, Randomness as _, SystemRandomness};
use pg::sqlx::postgres::PgPool;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::invoker::Invoker;
use crate::store::{queue, triggers};

/// Calls that a node works on at a time.
const MOST_AT_ONCE: usize = 16;
/// How often it is looked whether tables tell of their changes.
const RECONCILE_EVERY: u32 = 8;

/// How calls are delivered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueConfig {
    /// How often the queue is looked at.
    pub(crate) look: Duration,
    /// How long a node that does not report any more keeps the calls it has taken.
    pub(crate) lease: Duration,
    /// How often a call is tried.
    pub(crate) attempts: i32,
    /// Before the second try; doubled before each further one.
    pub(crate) pause: Duration,
}

/// One node's part.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    pool: PgPool,
    invoker: Invoker,
    config: QueueConfig,
    lease: Uuid,
    wake: Arc<Notify>,
}

impl Dispatcher {
    /// `wake` makes it look at once.
    pub(crate) fn new(
        pool: PgPool,
        invoker: Invoker,
        config: QueueConfig,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            pool,
            invoker,
            config,
            lease: SystemRandomness.uuid(),
            wake,
        }
    }

    /// Works until `shutdown`; what was begun is finished.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<(), BoxError> {
        let deliveries = TaskTracker::new();
        let working = async {
            tokio::join!(self.keep_leases(), self.work(&deliveries));
        };
        shutdown.run_until_cancelled(Box::pin(working)).await;
        deliveries.close();
        deliveries.wait().await;
        Ok(())
    }

    async fn work(self: &Arc<Self>, deliveries: &TaskTracker) {
        let seats = Arc::new(Semaphore::new(MOST_AT_ONCE));
        let mut round: u32 = 0;
        loop {
            let worked = self.round(round, &seats, deliveries).await;
            match worked {
                // There may be more.
                Ok(taken) if taken > 0 && seats.available_permits() > 0 => {}
                Ok(_) => {
                    let _ = tokio::time::timeout(self.config.look, self.wake.notified()).await;
                }
                Err(error) => {
                    let error = common::error::chain(&error);
                    tracing::debug!(error, "the queue of functions cannot be read");
                    tokio::time::sleep(self.config.look.max(Duration::from_secs(1))).await;
                }
            }
            round = round.wrapping_add(1);
        }
    }

    /// One look at everything; answers how many calls it began.
    async fn round(
        self: &Arc<Self>,
        round: u32,
        seats: &Arc<Semaphore>,
        deliveries: &TaskTracker,
    ) -> Result<usize, pg::sqlx::Error> {
        if round.is_multiple_of(RECONCILE_EVERY) {
            triggers::reconcile_capture(&self.pool).await?;
            let buried = queue::bury_abandoned(&self.pool, self.config.attempts).await?;
            if buried > 0 {
                tracing::warn!(buried, "calls of functions were given up");
            }
        }
        schedules::enqueue_due(&self.pool).await?;
        let room = i64::try_from(seats.available_permits()).unwrap_or(0);
        if room == 0 {
            return Ok(0);
        }
        let limits = (self.config.lease, self.config.attempts);
        let taken = queue::take(&self.pool, self.lease, room, limits).await?;
        let count = taken.len();
        for event in taken {
            let seat = Arc::clone(seats).try_acquire_owned().ok();
            let dispatcher = Arc::clone(self);
            deliveries.spawn(async move {
                dispatcher.deliver(event).await;
                drop(seat);
                dispatcher.wake.notify_one();
            });
        }
        Ok(count)
    }

    /// Says again and again that this node is there.
    async fn keep_leases(&self) {
        loop {
            tokio::time::sleep(self.config.lease / 3).await;
            if let Err(error) = queue::renew(&self.pool, self.lease, self.config.lease).await {
                tracing::debug!(
                    error = common::error::chain(&error),
                    "leases were not renewed"
                );
            }
        }
    }
}
