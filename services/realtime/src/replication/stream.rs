//! Reading the started stream: decode, number, gather what has arrived, publish, confirm.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use pgwire_replication::{Lsn, PgWireError, ReplicationClient, ReplicationEvent};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::{datetime, format_description};
use tokio_util::sync::CancellationToken;

use super::change::{Change, Position};
use super::pgoutput;
use super::relations::{Relations, UnknownRelation};
use super::session::Memory;
use crate::broadcast::Broadcast;
use crate::bus::{Committed, Event, EventBus};

/// What is published at once: bounded, so that memory and the time of one round of policy checks
/// are.
const MAX_BATCH_EVENTS: usize = 512;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The server says something at least every half of `wal_sender_timeout` (20 s on our
/// connections): longer silence is a connection that is gone.
const SILENCE: Duration = Duration::from_mins(1);

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

/// The stream of one connection.
pub struct Stream<'a> {
    client: ReplicationClient,
    bus: &'a dyn EventBus,
    memory: &'a mut Memory,
    relations: Relations,
    committed_at: Arc<str>,
    batch: Batch,
}

#[derive(Default)]
struct Batch {
    events: Vec<Committed>,
    bytes: usize,
    /// The last event in the batch.
    last: Option<Position>,
    /// The last transaction that ends in the batch, and the end of its commit record.
    finished: Option<(u64, Lsn)>,
    /// A position the server named between transactions.
    idle_at: Option<Lsn>,
    /// Whether an event could not be read.
    damaged: bool,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.events.len() >= MAX_BATCH_EVENTS || self.bytes >= MAX_BATCH_BYTES
    }
}

impl<'a> Stream<'a> {
    /// A stream on a started connection.
    pub fn new(client: ReplicationClient, bus: &'a dyn EventBus, memory: &'a mut Memory) -> Self {
        memory.cursor.reconnect();
        Self {
            client,
            bus,
            memory,
            relations: Relations::default(),
            committed_at: "".into(),
            batch: Batch::default(),
        }
    }

    /// Reads and publishes until `shutdown`; then ends the connection in order.
    pub async fn run(mut self, shutdown: &CancellationToken) -> Result<(), StreamError> {
        loop {
            let first = tokio::select! {
                () = shutdown.cancelled() => {
                    let _ = self.client.shutdown().await;
                    return Ok(());
                }
                event = tokio::time::timeout(SILENCE, self.client.recv()) => {
                    event.map_err(|_| StreamError::Silent)??
                }
            };
            self.take(first.ok_or(StreamError::Ended)?)?;
            let ended = self.gather();
            self.publish().await;
            ended?;
        }
    }

    /// Takes what has arrived already, without waiting.
    fn gather(&mut self) -> Result<(), StreamError> {
        while !self.batch.is_full() {
            match self.client.recv().now_or_never() {
                None => return Ok(()),
                Some(event) => self.take(event?.ok_or(StreamError::Ended)?)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, event: ReplicationEvent) -> Result<(), StreamError> {
        match event {
            ReplicationEvent::Begin {
                final_lsn,
                commit_time_micros,
                ..
            } => {
                self.memory.cursor.begin(final_lsn.as_u64());
                self.committed_at = timestamp(commit_time_micros);
            }
            ReplicationEvent::Commit { lsn, end_lsn, .. } => {
                self.memory.cursor.commit();
                self.batch.finished = Some((lsn.as_u64(), end_lsn));
                self.batch.idle_at = None;
            }
            ReplicationEvent::XLogData { data, .. } => self.change(data)?,
            ReplicationEvent::Message {
                transactional: true,
                prefix,
                content,
                ..
            } => self.message(&prefix, &content),
            ReplicationEvent::KeepAlive { wal_end, .. } => {
                if !self.memory.cursor.in_transaction() {
                    self.batch.idle_at = Some(wal_end);
                }
            }
            ReplicationEvent::Message { .. } | ReplicationEvent::StoppedAt { .. } => {}
        }
        Ok(())
    }

    fn change(&mut self, data: Bytes) -> Result<(), StreamError> {
        let size = data.len();
        let message = match pgoutput::decode(data) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, "a replication message could not be read and was skipped");
                metrics::counter!("selfdb_realtime_events_skipped_total").increment(1);
                self.batch.damaged = true;
                return Ok(());
            }
        };
        let is_change = matches!(
            message,
            pgoutput::Message::Insert { .. }
                | pgoutput::Message::Update { .. }
                | pgoutput::Message::Delete { .. }
        );
        let position = if is_change {
            self.memory.cursor.advance()
        } else {
            None
        };
        if is_change && position.is_none() {
            return Ok(());
        }
        let known = position.unwrap_or(Position {
            epoch: 0,
            commit_lsn: 0,
            sequence: 0,
        });
        let change = self.relations.apply(message, &self.committed_at, known)?;
        if let (Some(change), Some(position)) = (change, position) {
            self.push(
                Committed::Change(Arc::<Change>::new(change)),
                position,
                size,
            );
        }
        Ok(())
    }

    fn message(&mut self, prefix: &str, content: &Bytes) {
        if prefix != Broadcast::LOG_PREFIX {
            return;
        }
        let Some(position) = self.memory.cursor.advance() else {
            return;
        };
        if let Some(broadcast) = Broadcast::from_log(content) {
            self.push(Committed::Broadcast(broadcast), position, content.len());
        } else {
            tracing::warn!("a broadcast from SQL could not be read and was skipped");
        }
    }

    fn push(&mut self, event: Committed, position: Position, size: usize) {
        self.batch.events.push(event);
        self.batch.bytes += size;
        self.batch.last = Some(position);
    }

    /// Hands the batch on, then tells the server how far that was.
    async fn publish(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if batch.damaged {
            self.bus.publish(Event::Gap).await;
        }
        if !batch.events.is_empty() {
            let count = u64::try_from(batch.events.len()).unwrap_or(u64::MAX);
            self.bus.publish(Event::Committed(batch.events)).await;
            metrics::counter!("selfdb_realtime_committed_events_total").increment(count);
        }
        if let Some(position) = batch.last {
            self.memory.cursor.handed_on(position);
        }
        let mut confirmed = batch.idle_at;
        if let Some((commit, end)) = batch.finished {
            self.memory.cursor.finish(commit);
            confirmed = Some(confirmed.map_or(end, |idle| idle.max(end)));
        }
        if let Some(position) = confirmed {
            self.client.update_applied_lsn(position);
            self.memory.confirmed = self.memory.confirmed.max(position.as_u64());
        }
    }
}

const ISO_MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const POSTGRES_EPOCH: OffsetDateTime = datetime!(2000-01-01 0:00 UTC);

/// Microseconds since Postgres' epoch as ISO 8601 in UTC.
fn timestamp(micros: i64) -> Arc<str> {
    let moment = POSTGRES_EPOCH.checked_add(time::Duration::microseconds(micros));
    let text = moment.and_then(|moment| moment.format(ISO_MILLISECONDS).ok());
    text.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_told_in_utc_with_milliseconds() {
        assert_eq!(&*timestamp(0), "2000-01-01T00:00:00.000Z");
        assert_eq!(&*timestamp(765_432_100_123_456), "2024-04-03T04:01:40.123Z");
        assert_eq!(&*timestamp(i64::MAX), "");
    }
}
