//! A connection while one request has it. Whenever the request is dropped, the connection is
//! either clean and goes back, or is brought to an end by a task of its own: what one request
//! left behind is never read by another.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::batch::Decision;
use super::connection::{Connection, Until};
use super::encoded::{Encoded, Framing};
use super::error::{ConnectionError, PipelineError};
use super::exchange::{Keep, Transaction};
use super::pool::Pool;
use crate::sqlstate::QUERY_CANCELED;

/// How long a batch whose caller is gone may take to end by itself, before it is cancelled.
pub(super) const GRACE: Duration = Duration::from_millis(200);
/// How long a cancelled statement may take to end.
const CANCEL_WAIT: Duration = Duration::from_secs(2);

pub(super) struct Lease {
    connection: Option<Box<Connection>>,
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lease {
    pub(super) fn new(
        pool: Arc<Pool>,
        connection: Box<Connection>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            connection: Some(connection),
            pool,
            permit: Some(permit),
        }
    }

    #[expect(clippy::expect_used, reason = "only dropping the lease takes it")]
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("held until dropped")
    }

    /// Runs a batch to its end, or until rows to stream are there. Afterwards nothing has failed;
    /// an explicit transaction is still open. A statement that went stale is prepared anew once:
    /// the transaction it failed in is undone. Where that had begun before, it is the caller's to
    /// begin again.
    pub(super) async fn perform(
        &mut self,
        encoded: &Encoded,
        until: Until,
        deadline: Instant,
    ) -> Result<(), PipelineError> {
        let mut is_first = true;
        loop {
            self.compose(encoded)?;
            let begun = Instant::now();
            let Some(ended) = self.complete(until, deadline).await? else {
                return Ok(());
            };
            let connection = self.connection();
            connection.exchange.took(begun.elapsed());
            let stale = connection.drop_stale_statements();
            let error = connection.exchange.error.take();
            match (error, encoded.framing, ended) {
                (None, Framing::Implicit, Transaction::None)
                | (None, Framing::Explicit | Framing::Continued, Transaction::Open) => {
                    return Ok(());
                }
                (None, ..) => {
                    let reason = "a statement began or ended a transaction";
                    return Err(self.lost(ConnectionError::Protocol(reason)));
                }
                (Some(error), ..) => {
                    if ended != Transaction::None {
                        self.end(Decision::Rollback, deadline).await?;
                    }
                    if !(stale && is_first) || encoded.framing == Framing::Continued {
                        return Err(PipelineError::Database(error));
                    }
                }
            }
            is_first = false;
        }
    }

    fn compose(&mut self, encoded: &Encoded) -> Result<(), PipelineError> {
        let connection = self.connection();
        let composed = connection.compose(encoded);
        connection.exchange = composed.map_err(PipelineError::Invalid)?;
        Ok(())
    }

    /// Ends an explicit transaction.
    pub(super) async fn end(
        &mut self,
        decision: Decision,
        deadline: Instant,
    ) -> Result<(), PipelineError> {
        let end = Encoded::end(decision).map_err(PipelineError::Invalid)?;
        self.compose(&end)?;
        self.complete(Until::End, deadline).await?;
        match self.connection().exchange.error.take() {
            Some(error) => Err(PipelineError::Database(error)),
            None => Ok(()),
        }
    }

    /// Waits for what is under way until `deadline`, then cancels it.
    pub(super) async fn complete(
        &mut self,
        until: Until,
        deadline: Instant,
    ) -> Result<Option<Transaction>, PipelineError> {
        let completed = timeout_at(deadline, self.connection().complete(until)).await;
        match completed {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(error)) => Err(self.lost(error)),
            Err(_) => self.cancel().await.map(Some),
        }
    }

    /// Cancels what is under way and waits for the answer, which may still be that it was done.
    async fn cancel(&mut self) -> Result<Transaction, PipelineError> {
        let connection = self.connection();
        // A cancellation that comes late must not hit the next request.
        connection.is_spent = true;
        connection.exchange.keep = Keep::Rows;
        let key = connection.key();
        self.pool.connector.cancel(key).await;
        let connection = self.connection();
        let completed = timeout(CANCEL_WAIT, connection.complete(Until::End)).await;
        let error = match completed {
            Ok(Ok(Some(ended))) => {
                let error = connection.exchange.error.as_ref();
                if error.is_none_or(|error| error.code != QUERY_CANCELED) {
                    return Ok(ended);
                }
                let outcome = super::Outcome::NotApplied;
                return Err(PipelineError::Deadline { outcome });
            }
            Ok(Err(error)) => error,
            Ok(Ok(None)) | Err(_) => ConnectionError::TimedOut,
        };
        let outcome = connection.outcome(&error);
        Err(PipelineError::Deadline { outcome })
    }

    /// The connection's end as the caller's error.
    pub(super) fn lost(&mut self, source: ConnectionError) -> PipelineError {
        let connection = self.connection();
        connection.is_spent = true;
        let outcome = connection.outcome(&source);
        PipelineError::Unavailable { outcome, source }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(connection), permit) = (self.connection.take(), self.permit.take()) else {
            return;
        };
        if connection.is_reusable() {
            self.pool.give_back(connection);
        } else if connection.is_busy
            && connection.is_sent()
            && let Ok(runtime) = Handle::try_current()
        {
            // Detached, and over within seconds: the caller it belonged to is gone.
            runtime.spawn(abandon(connection, Arc::clone(&self.pool), permit));
        }
    }
}

/// Brings to an end what nobody waits for: reads the rest of a short batch, cancels a long one.
/// The permit is held meanwhile, so that the server never works on more than the pool allows.
async fn abandon(
    mut connection: Box<Connection>,
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
) {
    connection.exchange.keep = Keep::Nothing;
    connection.exchange.rows = super::Rows::default();
    if timeout(GRACE, connection.complete(Until::End))
        .await
        .is_ok()
    {
        if connection.is_reusable() {
            pool.give_back(connection);
        }
    } else {
        pool.connector.cancel(connection.key()).await;
        let _ = timeout(CANCEL_WAIT, connection.complete(Until::End)).await;
    }
    drop(permit);
}
