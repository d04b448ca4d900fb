//! Reading the started stream: gather what has arrived, keep it, publish it, confirm it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use pgwire_replication::{Lsn, PgWireError, ReplicationClient, ReplicationEvent};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::batch::Intake;
use super::catalogue::Catalogue;
use super::relations::{KnownTables, Relations, UnknownRelation};
use super::session::Memory;
use crate::broadcast::Broadcast;
use crate::bus::{Event, EventBus};
use crate::journal::Journal;

/// The server says something at least every half of `wal_sender_timeout` (20 s on our
/// connections): longer silence is a connection that is gone.
const SILENCE: Duration = Duration::from_mins(1);
/// How often the journal is made durable and the server told so. Events do not wait for it: what
/// a crash takes from the journal the server sends again.
const CONFIRM_EVERY: Duration = Duration::from_millis(500);

/// Why the stream ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// What the server or the connection said.
    #[error("the replication stream failed")]
    Connection(#[from] PgWireError),
    /// Nothing was heard for too long.
    #[error("nothing was heard from Postgres on the replication stream for too long")]
    Silent,
    /// The server ended the stream.
    #[error("the server ended the replication stream")]
    Ended,
    /// A change came before its table's description.
    #[error(transparent)]
    Relation(#[from] UnknownRelation),
}

/// What a stream works with.
pub struct Parts<'a> {
    /// Where events go.
    pub bus: &'a dyn EventBus,
    /// Where they are kept.
    pub journal: &'a Journal,
    /// The newest definitions of tables.
    pub known: &'a Arc<KnownTables>,
    /// What types are made of.
    pub catalogue: &'a Catalogue,
    /// Rows of more bytes are not told.
    pub max_event_bytes: usize,
}

/// The stream of one connection.
pub struct Stream<'a> {
    client: ReplicationClient,
    parts: Parts<'a>,
    memory: &'a mut Memory,
    intake: Intake,
    /// What was handed on and is not confirmed yet.
    unconfirmed: Option<Lsn>,
    /// What is being made durable.
    syncing: Option<(Lsn, JoinHandle<std::io::Result<()>>)>,
}

impl<'a> Stream<'a> {
    /// A stream on a started connection.
    pub fn new(client: ReplicationClient, parts: Parts<'a>, memory: &'a mut Memory) -> Self {
        memory.cursor.reconnect();
        let relations = Relations::of_connection(Arc::clone(parts.known));
        let intake = Intake::new(relations, parts.max_event_bytes);
        Self {
            client,
            parts,
            memory,
            intake,
            unconfirmed: None,
            syncing: None,
        }
    }

    /// Reads and publishes until `shutdown`; then ends the connection in order.
    pub async fn run(mut self, shutdown: &CancellationToken) -> Result<(), StreamError> {
        let mut ticks = tokio::time::interval(CONFIRM_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                () = shutdown.cancelled() => {
                    let _ = self.client.shutdown().await;
                    return Ok(());
                }
                _ = ticks.tick(), if self.unconfirmed.is_some() || self.syncing.is_some() => {
                    self.confirm().await;
                    continue;
                }
                event = tokio::time::timeout(SILENCE, self.client.recv()) => {
                    event.map_err(|_| StreamError::Silent)??
                }
            };
            let first = first.ok_or(StreamError::Ended)?;
            self.take(first).await?;
            let ended = self.gather().await;
            self.publish().await;
            ended?;
        }
    }

    async fn take(&mut self, event: ReplicationEvent) -> Result<(), StreamError> {
        if let ReplicationEvent::XLogData { data, .. } = &event {
            self.parts.catalogue.learn(data).await;
        }
        Ok(self.intake.take(&mut self.memory.cursor, event)?)
    }

    /// Takes what has arrived already, without waiting for more.
    async fn gather(&mut self) -> Result<(), StreamError> {
        while !self.intake.batch.is_full() {
            match self.client.recv().now_or_never() {
                None => return Ok(()),
                Some(event) => {
                    let event = event?.ok_or(StreamError::Ended)?;
                    self.take(event).await?;
                }
            }
        }
        Ok(())
    }

    /// Keeps the batch, then hands it on. In this order: whoever resumes is told from the journal
    /// what it did not hear.
    async fn publish(&mut self) {
        let batch = std::mem::take(&mut self.intake.batch);
        self.parts.journal.append(&batch.records);
        if batch.damaged {
            self.parts.bus.publish(Event::Gap).await;
            let payload = json!({ "reason": "a message could not be read" });
            let event = Broadcast::platform("replication.event_skipped", &payload);
            self.parts.bus.publish(Event::Broadcast(event)).await;
        }
        if let Some(last) = batch.events.last() {
            let position = last.position;
            let count = u64::try_from(batch.events.len()).unwrap_or(u64::MAX);
            self.parts.bus.publish(Event::Committed(batch.events)).await;
            metrics::counter!("selfdb_realtime_committed_events_total").increment(count);
            self.memory.cursor.handed_on(position);
        }
        let mut reached = batch.idle_at;
        if let Some((commit, end)) = batch.finished {
            self.memory.cursor.finish(commit);
            reached = Some(reached.map_or(end, |idle| idle.max(end)));
        }
        self.unconfirmed = self.unconfirmed.max(reached);
    }

    /// Tells the server what is durable by now, and makes durable what came since.
    async fn confirm(&mut self) {
        if let Some((position, handle)) = self.syncing.take_if(|(_, handle)| handle.is_finished()) {
            match handle.await {
                Ok(Ok(())) => self.client.update_applied_lsn(position),
                Ok(Err(error)) => tracing::error!(%error, "the journal cannot be made durable"),
                Err(error) => tracing::error!(%error, "the journal's sync ended early"),
            }
        }
        if self.syncing.is_some() {
            return;
        }
        if let Some(position) = self.unconfirmed.take() {
            let sync = self.parts.journal.mark(position.as_u64());
            self.memory.confirmed = self.memory.confirmed.max(position.as_u64());
            self.syncing = Some((position, tokio::task::spawn_blocking(sync)));
        }
    }
}
