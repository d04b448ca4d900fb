//! Rows as they come, for results that are not to be held in memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::Decision;
use super::connection::Until;
use super::error::PipelineError;
use super::exchange::Transaction;
use super::lease::Lease;
use super::results::{Column, Rows};

/// The rows of a batch's last statement, as they come from the server. Not asking for more stops
/// the server: no more than it sends at once is held here. The connection and the transaction are
/// taken meanwhile; dropping the stream early cancels the statement, unless it ends first.
pub struct RowStream {
    lease: Lease,
    columns: Arc<[Column]>,
    patience: Duration,
    is_ended: bool,
}

impl RowStream {
    /// A stream over a batch that runs to its first rows or its end.
    pub(super) fn new(mut lease: Lease, patience: Duration) -> Self {
        let exchange = &lease.connection().exchange;
        let done = exchange.results.last().map(|result| &result.columns);
        let running = exchange.steps.last().and_then(|step| step.columns.as_ref());
        let columns = running.or(done).map(Arc::clone).unwrap_or_default();
        Self {
            lease,
            columns,
            patience,
            is_ended: false,
        }
    }

    /// The columns of the rows.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The next rows; `None` once all have come and the transaction is committed. What an error
    /// follows was not committed. Waits for the server no longer than the batch's deadline each
    /// time. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Rows>, PipelineError> {
        while !self.is_ended {
            if let Some(rows) = self.arrived() {
                return Ok(Some(rows));
            }
            let deadline = Instant::now() + self.patience;
            let ended = self.lease.complete(Until::Rows, deadline).await?;
            if let Some(rows) = self.arrived() {
                return Ok(Some(rows));
            }
            let Some(ended) = ended else { continue };
            if let Some(error) = &self.lease.connection().exchange.error {
                return Err(PipelineError::Database(error.clone()));
            }
            if ended == Transaction::Open {
                self.lease.end(Decision::Commit, deadline).await?;
            }
            self.is_ended = true;
        }
        Ok(None)
    }

    /// Rows that have been read and not been handed out.
    fn arrived(&mut self) -> Option<Rows> {
        let exchange = &mut self.lease.connection().exchange;
        let rows = if exchange.is_last_step() {
            &mut exchange.rows
        } else {
            &mut exchange.results.last_mut()?.rows
        };
        (!rows.is_empty()).then(|| std::mem::take(rows))
    }
}
