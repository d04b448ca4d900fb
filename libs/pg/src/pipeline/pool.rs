//! A few connections, opened when they are needed, each used by one request at a time or by reads
//! that waited together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::back_off::BackOff;
use super::connection::Connection;
use super::connector::Connector;
use super::encoded::Encoded;
use super::error::{ConnectionError, Outcome, PipelineError};
use super::lease::Lease;
use super::queue::{Job, Queue, Reply};
use super::results::ResultSet;
use super::{PipelineOptions, PoolUse, driver};

pub(super) struct Pool {
    pub(super) connector: Connector,
    options: PipelineOptions,
    waiting: AtomicUsize,
    timeouts: AtomicU64,
    permits: Arc<Semaphore>,
    idle: Mutex<VecDeque<Box<Connection>>>,
    back_off: Mutex<BackOff>,
    /// Reads that wait for a connection.
    pub(super) queue: Queue,
}

impl Pool {
    pub(super) fn new(connector: Connector, options: PipelineOptions) -> Self {
        Self {
            connector,
            permits: Arc::new(Semaphore::new(options.connections.get())),
            options,
            waiting: AtomicUsize::new(0),
            timeouts: AtomicU64::new(0),
            idle: Mutex::default(),
            back_off: Mutex::default(),
            queue: Queue::default(),
        }
    }

    /// A connection to use alone: the one used last that is still alive, else a new one.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, PipelineError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait().await?,
        };
        self.leased(permit).await
    }

    async fn wait(&self) -> Result<OwnedSemaphorePermit, PipelineError> {
        let _waiting = Waiting::begin(&self.waiting);
        let permit = self.permit().await;
        if permit.is_err() {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        permit
    }

    /// A connection for those in the queue, who are counted there.
    pub(super) async fn lease_for_queue(self: &Arc<Self>) -> Result<Lease, PipelineError> {
        let permit = self.permit().await?;
        self.leased(permit).await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, PipelineError> {
        let acquiring = Arc::clone(&self.permits).acquire_owned();
        match timeout(self.options.acquire_timeout, acquiring).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(PipelineError::Busy),
        }
    }

    async fn leased(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Lease, PipelineError> {
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.open().await.map_err(unavailable)?,
        };
        Ok(Lease::new(Arc::clone(self), connection, permit))
    }

    /// Runs a read together with others that wait, where it would have to wait; `None` where it
    /// is to be run alone.
    pub(super) async fn run_together(
        self: &Arc<Self>,
        encoded: &Arc<Encoded>,
        patience: Duration,
    ) -> Option<Result<Vec<ResultSet>, PipelineError>> {
        if !encoded.is_simple_read() || self.permits.available_permits() > 0 {
            return None;
        }
        let (outcome, wants_driver) = self.queue.push(Arc::clone(encoded), patience);
        if wants_driver {
            driver::spawn(self);
        }
        match outcome.await {
            Ok(Reply::Done(result)) => Some(result),
            Ok(Reply::PassedOver) | Err(_) => None,
        }
    }

    /// The jobs that `error` is the answer to, for a driver that got no connection, and whether
    /// the others need another driver.
    pub(super) fn refused(&self, error: &PipelineError) -> (Vec<Job>, bool) {
        let is_busy = matches!(error, PipelineError::Busy);
        let wait = self.options.acquire_timeout;
        let (jobs, more) = self
            .queue
            .give_up(if is_busy { wait } else { Duration::ZERO });
        if is_busy {
            let count = u64::try_from(jobs.len()).unwrap_or(u64::MAX);
            self.timeouts.fetch_add(count, Ordering::Relaxed);
        }
        (jobs, more)
    }

    pub(super) fn in_use(&self) -> PoolUse {
        PoolUse {
            max: self.options.connections.get(),
            available: locked(&self.idle).len(),
            waiting: self.waiting.load(Ordering::Relaxed) + self.queue.len(),
            timeouts: self.timeouts.load(Ordering::Relaxed),
        }
    }

    fn take_idle(&self) -> Option<Box<Connection>> {
        loop {
            let mut connection = locked(&self.idle).pop_back()?;
            if connection.is_alive() {
                return Some(connection);
            }
        }
    }

    async fn open(&self) -> Result<Box<Connection>, ConnectionError> {
        if locked(&self.back_off).is_waiting(Instant::now()) {
            return Err(ConnectionError::BackingOff);
        }
        match self.connector.open().await {
            Ok(session) => {
                locked(&self.back_off).succeeded();
                Ok(Box::new(Connection::new(session, &self.options)))
            }
            Err(error) => {
                if locked(&self.back_off).failed(Instant::now()) {
                    let error = common::error::chain(&error);
                    tracing::warn!(error, "the database cannot be reached");
                }
                Err(error)
            }
        }
    }

    /// Takes a connection back that another request may use.
    pub(super) fn give_back(&self, mut connection: Box<Connection>) {
        let now = Instant::now();
        if now.duration_since(connection.opened) > self.options.lifetime {
            return;
        }
        connection.rested = now;
        let mut idle = locked(&self.idle);
        idle.push_back(connection);
        let most = self.options.idle_timeout;
        let rested = |oldest: &mut Box<Connection>| now - oldest.rested > most;
        let closing = idle.pop_front_if(rested);
        drop(idle);
        drop(closing);
    }
}

/// A request that waits; it is counted until it is dropped.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn begin(count: &'p AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn unavailable(source: ConnectionError) -> PipelineError {
    let outcome = Outcome::NotApplied;
    PipelineError::Unavailable { outcome, source }
}

/// The value in `mutex`; nothing here panics while it holds one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
