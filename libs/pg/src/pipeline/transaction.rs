//! A transaction that stays open between batches.

use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Batch, Decision};
use super::connection::Until;
use super::encoded::{Encoded, Framing};
use super::error::PipelineError;
use super::lease::Lease;
use super::results::ResultSet;
use crate::RequestContext;

/// A transaction begun by [`super::Pipeline::begin`]. Dropped without an end it is undone: its
/// connection is closed.
pub struct OpenTransaction {
    lease: Lease,
    patience: Duration,
}

impl OpenTransaction {
    pub(super) fn new(lease: Lease, patience: Duration) -> Self {
        Self { lease, patience }
    }

    /// Runs `batch` in this transaction, under a context of its own. Its access and isolation are
    /// those the transaction began with. After an error everything is undone, and nothing more can
    /// be run; where [`super::DatabaseError::is_stale_statement`], all of it can be tried anew.
    pub async fn run(
        &mut self,
        context: &RequestContext,
        batch: &Batch<'_>,
    ) -> Result<Vec<ResultSet>, PipelineError> {
        let deadline = Instant::now() + batch.deadline.unwrap_or(self.patience);
        let encoded = Encoded::new(context, batch, Framing::Continued);
        let encoded = encoded.map_err(PipelineError::Invalid)?;
        let lease = &mut self.lease;
        lease.perform(&encoded, Until::End, deadline).await?;
        Ok(std::mem::take(&mut lease.connection().exchange.results))
    }

    /// Ends it.
    pub async fn end(mut self, decision: Decision) -> Result<(), PipelineError> {
        let deadline = Instant::now() + self.patience;
        self.lease.end(decision, deadline).await
    }
}

impl std::fmt::Debug for OpenTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenTransaction").finish_non_exhaustive()
    }
}
