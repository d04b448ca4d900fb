//! A few connections, each used by one request at a time, opened when they are needed.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::back_off::BackOff;
use super::connection::Connection;
use super::connector::Connector;
use super::error::{ConnectionError, Outcome, PipelineError};
use super::lease::Lease;

/// A connection that rested this long is closed when another comes back.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// A connection this old is closed when it comes back: sessions gather memory.
const LIFETIME: Duration = Duration::from_mins(30);

pub(super) struct Pool {
    pub(super) connector: Connector,
    acquire_timeout: Duration,
    statements: NonZeroUsize,
    permits: Arc<Semaphore>,
    idle: Mutex<VecDeque<Box<Connection>>>,
    back_off: Mutex<BackOff>,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        connections: NonZeroUsize,
        acquire_timeout: Duration,
        statements: NonZeroUsize,
    ) -> Self {
        Self {
            connector,
            acquire_timeout,
            statements,
            permits: Arc::new(Semaphore::new(connections.get())),
            idle: Mutex::default(),
            back_off: Mutex::default(),
        }
    }

    /// A connection to use alone: the one used last that is still alive, else a new one.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, PipelineError> {
        let permit = self.permit().await?;
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.open().await.map_err(unavailable)?,
        };
        Ok(Lease::new(Arc::clone(self), connection, permit))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, PipelineError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match timeout(self.acquire_timeout, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(PipelineError::Busy),
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
                Ok(Box::new(Connection::new(session, self.statements)))
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
        if now.duration_since(connection.opened) > LIFETIME {
            return;
        }
        connection.rested = now;
        let mut idle = locked(&self.idle);
        idle.push_back(connection);
        let rested = |oldest: &mut Box<Connection>| now - oldest.rested > IDLE_TIMEOUT;
        let closing = idle.pop_front_if(rested);
        drop(idle);
        drop(closing);
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
