//! What has arrived on the stream and waits to be handed on: as events for listeners, and as
//! records for the journal.

use std::sync::Arc;

use bytes::Bytes;
use pg::events;
use pgwire_replication::{Lsn, ReplicationEvent};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::{datetime, format_description};

use super::change::{Change, Position};
use super::cursor::Cursor;
use super::pgoutput::{self, DecodeError, Message};
use super::relations::{Relations, UnknownRelation};
use crate::broadcast::Broadcast;
use crate::bus::{Committed, CommittedEvent};
use crate::journal::{Content, Logged, Record};

/// What is published at once: bounded, so that memory and the time of one round of policy checks
/// are.
const MAX_EVENTS: usize = 512;
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Of a row that is too large to be told to everybody, values up to this many bytes are kept:
/// enough for keys and for what policies read.
const KEPT_VALUE_BYTES: usize = 8 * 1024;

/// What waits to be handed on.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<CommittedEvent>,
    pub(super) records: Vec<Record>,
    bytes: usize,
    /// The last transaction that ends in the batch, and the end of its commit record.
    pub(super) finished: Option<(u64, Lsn)>,
    /// A position the server named between transactions.
    pub(super) idle_at: Option<Lsn>,
    /// Whether an event could not be read.
    pub(super) damaged: bool,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= MAX_EVENTS || self.bytes >= MAX_BYTES
    }

    fn push(&mut self, position: Position, committed: Committed, logged: Logged, size: usize) {
        self.events.push(CommittedEvent {
            position,
            committed,
        });
        self.records.push(Record::Event(logged));
        self.bytes += size;
    }
}

/// Turns what the server sends into batches.
pub(super) struct Intake {
    pub(super) batch: Batch,
    relations: Relations,
    max_event_bytes: usize,
    committed_micros: i64,
    committed_at: Arc<str>,
}

impl Intake {
    /// An intake on a new connection. Rows of more than `max_event_bytes` lose their large values.
    pub(super) fn new(relations: Relations, max_event_bytes: usize) -> Self {
        Self {
            batch: Batch::default(),
            relations,
            max_event_bytes,
            committed_micros: 0,
            committed_at: "".into(),
        }
    }

    pub(super) fn take(
        &mut self,
        cursor: &mut Cursor,
        event: ReplicationEvent,
    ) -> Result<(), UnknownRelation> {
        match event {
            ReplicationEvent::Begin {
                final_lsn,
                commit_time_micros,
                ..
            } => {
                cursor.begin(final_lsn.as_u64());
                self.committed_micros = commit_time_micros;
                self.committed_at = timestamp(commit_time_micros);
            }
            ReplicationEvent::Commit { lsn, end_lsn, .. } => {
                cursor.commit();
                self.batch.records.push(Record::Commit(lsn.as_u64()));
                self.batch.finished = Some((lsn.as_u64(), end_lsn));
                self.batch.idle_at = None;
            }
            ReplicationEvent::XLogData { data, .. } => self.data(cursor, data)?,
            ReplicationEvent::Message {
                transactional: true,
                prefix,
                content,
                ..
            } if prefix == Broadcast::LOG_PREFIX => self.message(cursor, content),
            ReplicationEvent::Message {
                transactional: true,
                prefix,
                content,
                ..
            } if prefix == events::LOG_PREFIX => {
                // One that cannot be read is counted like any other, so that positions stay.
                let event = Broadcast::event_in_log(&content).unwrap_or_default();
                self.message(cursor, event);
            }
            ReplicationEvent::KeepAlive { wal_end, .. } => {
                if !cursor.in_transaction() {
                    self.batch.idle_at = Some(wal_end);
                }
            }
            ReplicationEvent::Message { .. } | ReplicationEvent::StoppedAt { .. } => {}
        }
        Ok(())
    }

    fn data(&mut self, cursor: &mut Cursor, data: Bytes) -> Result<(), UnknownRelation> {
        match pgoutput::decode(data.clone()) {
            Ok(message @ (Message::Relation(_) | Message::Type(_))) => {
                self.relations.describe(message);
                self.batch.records.push(Record::Description(data));
                Ok(())
            }
            Ok(Message::Other(_)) => Ok(()),
            Ok(message) => match cursor.advance() {
                Some(position) => self.change(position, message, data),
                None => Ok(()),
            },
            Err(error) => {
                self.skip(error);
                Ok(())
            }
        }
    }

    fn skip(&mut self, error: DecodeError) {
        tracing::error!(%error, "a replication message could not be read and was skipped");
        metrics::counter!("selfdb_realtime_events_skipped_total").increment(1);
        self.batch.damaged = true;
    }

    fn change(
        &mut self,
        position: Position,
        message: Message,
        data: Bytes,
    ) -> Result<(), UnknownRelation> {
        let size = data.len();
        let at = &self.committed_at;
        let (change, content) = if size > self.max_event_bytes {
            let whole = self.relations.change(message.clone(), at, position)?;
            let message = message.without_values_over(KEPT_VALUE_BYTES);
            let data = message.encode_change().unwrap_or_default();
            let change = Change {
                large: true,
                whole: Some(Arc::new(whole)),
                ..self.relations.change(message, at, position)?
            };
            (change, Content::LargeChange(data))
        } else {
            let change = self.relations.change(message, at, position)?;
            (change, Content::Change(data))
        };
        let logged = Logged {
            position,
            committed_micros: self.committed_micros,
            content,
        };
        let change = Committed::Change(Arc::new(change));
        self.batch.push(position, change, logged, size);
        Ok(())
    }

    fn message(&mut self, cursor: &mut Cursor, content: Bytes) {
        let Some(position) = cursor.advance() else {
            return;
        };
        let Some(broadcast) = Broadcast::from_log(&content) else {
            tracing::warn!("a broadcast from SQL could not be read and was skipped");
            return;
        };
        let size = content.len();
        let logged = Logged {
            position,
            committed_micros: self.committed_micros,
            content: Content::Message(content),
        };
        let broadcast = Committed::Broadcast(broadcast);
        self.batch.push(position, broadcast, logged, size);
    }
}

/// Turns what was read from the journal into events, as they were handed on the first time.
/// Changes of tables that the journal does not describe, and what cannot be read, are left out:
/// they were when they arrived.
pub fn replayed(mut relations: Relations, records: Vec<Record>) -> Vec<CommittedEvent> {
    let mut events = Vec::with_capacity(records.len());
    for record in records {
        match record {
            Record::Description(data) => {
                if let Ok(message) = pgoutput::decode(data) {
                    relations.describe(message);
                }
            }
            Record::Event(logged) => {
                let position = logged.position;
                if let Some(committed) = committed(&relations, logged) {
                    events.push(CommittedEvent {
                        position,
                        committed,
                    });
                }
            }
            Record::Origin(_) | Record::Commit(_) | Record::Mark(_) => {}
        }
    }
    events
}

fn committed(relations: &Relations, logged: Logged) -> Option<Committed> {
    let large = matches!(logged.content, Content::LargeChange(_));
    match logged.content {
        Content::Message(content) => Broadcast::from_log(&content).map(Committed::Broadcast),
        Content::Change(data) | Content::LargeChange(data) => {
            let message = pgoutput::decode(data).ok()?;
            let committed_at = timestamp(logged.committed_micros);
            let change = relations.change(message, &committed_at, logged.position);
            let mut change = change.ok()?;
            change.large = large;
            Some(Committed::Change(Arc::new(change)))
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
