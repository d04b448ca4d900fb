//! The client of the REST hot path: one request is one write and one read.
//!
//! A [`Batch`] goes out as `[Parse] Bind Execute` of `set_config(role, claims, …)`, the same for
//! each statement, and a single `Sync`. Postgres runs that as one implicit transaction: the role
//! and the settings end with it by themselves, the first error skips the rest and undoes it all.
//!
//! Invariants, each held by a test:
//! - A connection belongs to one request until the server has said that it is done with it. A
//!   request that is dropped leaves its connection to a task that reads the rest or cancels it.
//!   The exception are reads that wait for a connection: those that were quick before go out
//!   together, each with its own `Sync` and so a transaction of its own, and one that is not
//!   answered for another's sake is run again.
//! - Nothing runs unless the role and the settings of its own request were set first.
//! - A batch is sent again only where the server cannot have begun it, where it cannot write, or
//!   where its transaction was undone (a statement prepared before its table changed).
//! - A commit is reported only after the server confirmed it.
//!
//! What a function changes in its *session* (`set_config(…, false)`) outlives its request, as in
//! any pooled client. The context is set anew each time, and a connection whose reported settings
//! (time zone, encoding, …) have moved is closed; functions should set what they set locally.

mod authentication;
mod back_off;
mod batch;
mod cache;
mod connection;
mod connector;
mod context;
mod driver;
mod encoded;
mod error;
mod exchange;
mod frame;
mod lease;
mod listener;
mod pool;
mod queue;
mod reported;
mod results;
mod session;
mod socket;
mod stream;
mod tls;
mod transaction;
mod wire;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use self::batch::{Access, Batch, Decision, Isolation, Parameter, Statement};
pub use self::error::{ConnectionError, DatabaseError, Outcome, PipelineError};
pub use self::listener::{Event, Listener};
pub use self::results::{Column, ResultSet, Row, Rows};
pub use self::stream::RowStream;
pub use self::transaction::OpenTransaction;
use crate::{Endpoint, RequestContext, RoleRules};
use connection::Until;
use connector::Connector;
use encoded::{Encoded, Framing};
use lease::Lease;
use pool::Pool;

/// What a pipeline may take.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// The most connections at once.
    pub connections: NonZeroUsize,
    /// How long a request waits for a connection to become free.
    pub acquire_timeout: Duration,
    /// How long a batch may take, where it has no deadline of its own, before it is cancelled.
    pub deadline: Duration,
    /// What Postgres shows in `pg_stat_activity`: `selfdb-rest`.
    pub application_name: String,
    /// How many statements each connection keeps prepared.
    pub statement_cache: NonZeroUsize,
    /// Whether it keeps any.
    pub preparation: Preparation,
    /// How long an unused connection stays open, as far as another comes back after it.
    pub idle_timeout: Duration,
    /// How old a connection gets: sessions gather memory.
    pub lifetime: Duration,
}

/// What becomes of a statement after it ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preparation {
    /// It stays prepared in its connection.
    #[default]
    Kept,
    /// Nothing stays: behind a pooler the next batch may meet another server process.
    Dropped,
}

/// What the connections of a pipeline are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// The most connections at once.
    pub max: usize,
    /// Connections that are open and free.
    pub available: usize,
    /// Requests that wait for one.
    pub waiting: usize,
    /// Requests that waited too long, since the start.
    pub timeouts: u64,
}

impl PipelineOptions {
    /// A pipeline of `connections`: 5 s to get one, 65 s a batch, 256 statements; they rest for
    /// 1 minute and live for 30.
    pub fn new(application_name: impl Into<String>, connections: NonZeroUsize) -> Self {
        Self {
            connections,
            acquire_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(65),
            application_name: application_name.into(),
            statement_cache: NonZeroUsize::MIN.saturating_add(255),
            preparation: Preparation::Kept,
            idle_timeout: Duration::from_mins(1),
            lifetime: Duration::from_mins(30),
        }
    }
}

/// A client of one database as one login role. Clones share its connections.
#[derive(Clone)]
pub struct Pipeline {
    pool: Arc<Pool>,
    attempts: usize,
    deadline: Duration,
}

/// What a checked batch gave.
#[derive(Debug)]
pub struct Checked {
    /// What became of it.
    pub decision: Decision,
    /// One for each statement.
    pub results: Vec<ResultSet>,
}

impl Pipeline {
    /// A client that connects when it is first used. The error is a TLS configuration that cannot
    /// be used.
    pub fn new(endpoint: Endpoint, options: PipelineOptions) -> Result<Self, PipelineError> {
        let name = options.application_name.clone();
        let connector = Connector::new(endpoint, name).map_err(|source| {
            let outcome = Outcome::NotApplied;
            PipelineError::Unavailable { outcome, source }
        })?;
        Ok(Self {
            attempts: options.connections.get() + 1,
            deadline: options.deadline,
            pool: Arc::new(Pool::new(connector, options)),
        })
    }

    /// What the connections are doing now.
    pub fn pool_use(&self) -> PoolUse {
        self.pool.in_use()
    }

    /// Runs `batch` as `context` says, commits it, and answers one result for each statement.
    pub async fn run(
        &self,
        context: &RequestContext,
        batch: &Batch<'_>,
    ) -> Result<Vec<ResultSet>, PipelineError> {
        if Framing::of(batch) == Framing::Explicit {
            let checked = self.run_checked(context, batch, |_| Decision::Commit).await;
            return checked.map(|checked| checked.results);
        }
        let encoded = Arc::new(self.encoded(context, batch, Framing::Implicit)?);
        let patience = self.patience_with(batch);
        if let Some(outcome) = self.pool.run_together(&encoded, patience).await {
            return outcome;
        }
        let mut lease = self.perform(&encoded, patience, Until::End).await?;
        Ok(std::mem::take(&mut lease.connection().exchange.results))
    }

    /// Runs `batch`, and lets `decide` say after a look at the results whether it lasts. Costs a
    /// second round trip.
    pub async fn run_checked(
        &self,
        context: &RequestContext,
        batch: &Batch<'_>,
        decide: impl FnOnce(&[ResultSet]) -> Decision + Send,
    ) -> Result<Checked, PipelineError> {
        let encoded = self.encoded(context, batch, Framing::Explicit)?;
        let patience = self.patience_with(batch);
        let mut lease = self.perform(&encoded, patience, Until::End).await?;
        let results = std::mem::take(&mut lease.connection().exchange.results);
        let decision = decide(&results);
        lease.end(decision, Instant::now() + patience).await?;
        Ok(Checked { decision, results })
    }

    /// Runs `batch` and leaves its transaction open, for more batches that depend on the results.
    /// Each costs a round trip, and so does the end.
    pub async fn begin(
        &self,
        context: &RequestContext,
        batch: &Batch<'_>,
    ) -> Result<(OpenTransaction, Vec<ResultSet>), PipelineError> {
        let encoded = self.encoded(context, batch, Framing::Explicit)?;
        let patience = self.patience_with(batch);
        let mut lease = self.perform(&encoded, patience, Until::End).await?;
        let results = std::mem::take(&mut lease.connection().exchange.results);
        Ok((OpenTransaction::new(lease, patience), results))
    }

    /// Runs `batch` and hands out the rows of its last statement as they come. Answers once the
    /// first have come, so that an error before them is an error here.
    pub async fn stream(
        &self,
        context: &RequestContext,
        batch: &Batch<'_>,
    ) -> Result<RowStream, PipelineError> {
        let encoded = self.encoded(context, batch, Framing::of(batch))?;
        let patience = self.patience_with(batch);
        let lease = self.perform(&encoded, patience, Until::Rows).await?;
        Ok(RowStream::new(lease, patience))
    }

    /// What is sent for `batch`, whoever sends it.
    fn encoded(
        &self,
        context: &RequestContext,
        batch: &Batch<'_>,
        framing: Framing,
    ) -> Result<Encoded, PipelineError> {
        let login = &self.pool.connector.endpoint.user;
        let is_login = context.rules == RoleRules::Platform && context.role == *login;
        if context.role == "none" || is_login {
            // Postgres would take either for no change of role at all.
            let refused = DatabaseError::role_refused(&context.role);
            return Err(PipelineError::Database(refused));
        }
        Encoded::new(context, batch, framing).map_err(PipelineError::Invalid)
    }

    /// Runs a batch on connections until one takes it. Connections that the server has closed
    /// without beginning the batch are passed over, each at most once; a batch that cannot write
    /// is tried a second time also where the server may have begun it.
    async fn perform(
        &self,
        encoded: &Encoded,
        patience: Duration,
        until: Until,
    ) -> Result<Lease, PipelineError> {
        let mut attempt = 1;
        loop {
            let mut lease = self.pool.lease().await?;
            let deadline = Instant::now() + patience;
            let error = match lease.perform(encoded, until, deadline).await {
                Ok(()) => return Ok(lease),
                Err(error) => error,
            };
            let PipelineError::Unavailable { source, .. } = &error else {
                return Err(error);
            };
            let is_harmless = encoded.access == Access::ReadOnly && attempt == 1;
            let repeatable = lease.connection().is_repeatable(source, is_harmless);
            if !repeatable || attempt == self.attempts {
                return Err(error);
            }
            attempt += 1;
        }
    }

    fn patience_with(&self, batch: &Batch<'_>) -> Duration {
        batch.deadline.unwrap_or(self.deadline)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
