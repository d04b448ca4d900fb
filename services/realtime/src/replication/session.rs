//! One connection to the server's replication protocol, from connecting to the first event:
//! become the leader, have a slot, start.

use std::future::Future;
use std::time::Duration;

use pgwire_replication::{PgWireError, ReplicationClient, ReplicationConfig};
use serde_json::json;
use tokio::sync::watch;

use super::cursor::Cursor;
use super::slot::{self, Reached, SlotName, SlotPlan};
use super::state::StreamState;
use crate::broadcast::Broadcast;
use crate::bus::{Event, EventBus};
use crate::journal::{Journal, Origin};
use crate::replication::Position;
use crate::store::replication as store;

/// How long one question to the server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a process that follows tries to lead.
const LEAD_EVERY: Duration = Duration::from_millis(500);
/// After this long it is said that the slot waits for open transactions.
const SLOT_PATIENCE: Duration = Duration::from_secs(2);

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// What the server or the connection said.
    #[error("the replication connection failed")]
    Connection(#[from] PgWireError),
    /// Silence.
    #[error("Postgres did not answer on the replication connection in time")]
    Silent,
    /// The publication is missing, and every change would end the stream.
    #[error("the publication {0} does not exist")]
    NoPublication(String),
    /// Another process, which no longer leads, has not let go of it yet; or the disk refuses.
    #[error("the journal cannot be opened")]
    Journal(#[source] std::io::Error),
}

/// What this process remembers from one connection to the next.
#[derive(Debug, Default)]
pub struct Memory {
    /// What was handed on.
    pub cursor: Cursor,
    /// The furthest position that was confirmed to the server.
    pub confirmed: u64,
    /// The cluster the positions are of; `None` before the first connection.
    pub system: Option<String>,
    /// What the slot is called; `None` before the database was asked.
    pub slot: Option<SlotName>,
    /// Whether the slot must be made anew, because reading it fails again and again.
    pub replace_slot: bool,
}

/// What a connection needs.
pub struct Connect<'a> {
    /// Server, role and options, with the application name `instance`.
    pub config: ReplicationConfig,
    /// The slot named in `config`.
    pub slot: &'a SlotName,
    /// The application name of this process' replication connections.
    pub instance: &'a str,
    /// The publication named in `config`.
    pub publication: &'a str,
    /// Where progress is shown.
    pub state: &'a watch::Sender<StreamState>,
    /// Who must be told that another process has taken over.
    pub bus: &'a dyn EventBus,
    /// What was handed on before, by whichever process.
    pub journal: &'a Journal,
    /// The number of an epoch that would begin now: milliseconds since 1970.
    pub next_epoch: u64,
}

/// Connects, leads, and returns once the next commit will be seen. Where something may be missing
/// since the last connection, the cursor has begun a new epoch.
pub async fn start(
    connect: Connect<'_>,
    memory: &mut Memory,
) -> Result<ReplicationClient, SessionError> {
    let mut client = ReplicationClient::connect_gated(connect.config.clone()).await?;
    in_time(store::end_earlier_sessions(&mut client, connect.instance)).await?;
    lead(&mut client, &connect, memory).await?;
    if !in_time(store::publication_exists(&mut client, connect.publication)).await? {
        return Err(SessionError::NoPublication(connect.publication.to_owned()));
    }
    prepare_slot(&mut client, &connect, memory).await?;
    in_time(client.start()).await?;
    in_time(client.wait_started()).await?;
    Ok(client)
}

/// Waits until no other process leads. What that one reads does not reach the listeners of this
/// process, which are told so.
async fn lead(
    client: &mut ReplicationClient,
    connect: &Connect<'_>,
    memory: &Memory,
) -> Result<(), SessionError> {
    while !in_time(store::try_lead(client)).await? {
        let before = connect.state.send_replace(StreamState::Following);
        if before != StreamState::Following {
            tracing::info!("another process reads the replication slot; waiting to take over");
            connect.journal.close();
            if memory.cursor.epoch() != 0 {
                connect.bus.publish(Event::Gap).await;
            }
        }
        tokio::time::sleep(LEAD_EVERY).await;
    }
    Ok(())
}

async fn prepare_slot(
    client: &mut ReplicationClient,
    connect: &Connect<'_>,
    memory: &mut Memory,
) -> Result<(), SessionError> {
    let server = in_time(client.identify_system()).await?;
    let now = server.xlogpos.as_u64();
    recall(connect, memory)?;
    let same_server = memory.system.as_deref() == Some(&server.system_id);
    let reached = same_server.then(|| Reached {
        commit: memory.cursor.reached(),
        confirmed: memory.confirmed,
    });
    let found = in_time(store::find_slot(client, connect.slot)).await?;
    let mut plan = slot::plan(found.as_ref(), now, reached);
    if memory.replace_slot && found.is_some() {
        plan = SlotPlan::Create { drop: true };
    }
    match plan {
        SlotPlan::Continue => return Ok(()),
        SlotPlan::ReadFromNow => {
            memory.cursor.begin_epoch(connect.next_epoch);
            memory.cursor.finish(now);
        }
        SlotPlan::Create { drop } => {
            create_slot(client, connect, drop).await?;
            memory.cursor.begin_epoch(connect.next_epoch);
        }
    }
    warn_of_unlimited_log(client).await?;
    let slot = in_time(store::find_slot(client, connect.slot)).await?;
    memory.confirmed = slot.map_or(0, |slot| slot.confirmed);
    connect.journal.begin(Origin {
        source: server.system_id.clone(),
        before: Position {
            epoch: memory.cursor.epoch(),
            commit_lsn: memory.cursor.reached(),
            sequence: 0,
        },
        finished: memory.cursor.reached(),
        marked: memory.confirmed,
    });
    memory.system = Some(server.system_id);
    memory.replace_slot = false;
    Ok(())
}

/// Opens the journal, and goes on from where it ends: that is at least as far as this process
/// remembers.
fn recall(connect: &Connect<'_>, memory: &mut Memory) -> Result<(), SessionError> {
    let saved = connect.journal.open(connect.slot.as_str());
    if let Some(saved) = saved.map_err(SessionError::Journal)? {
        memory.cursor = Cursor::restore(saved.reached, saved.finished);
        memory.confirmed = saved.marked;
        memory.system = Some(saved.source);
    }
    Ok(())
}

async fn create_slot(
    client: &mut ReplicationClient,
    connect: &Connect<'_>,
    drop: bool,
) -> Result<(), SessionError> {
    if drop {
        tracing::error!(slot = %connect.slot, "the replication slot was lost and is made anew");
        metrics::counter!("selfdb_realtime_slots_lost_total").increment(1);
        let payload = json!({ "slot": connect.slot.as_str() });
        let event = Broadcast::platform("replication.slot_lost", &payload);
        connect.bus.publish(Event::Broadcast(event)).await;
        in_time(store::drop_slot(client, connect.slot)).await?;
    }
    let mut created = std::pin::pin!(store::create_slot(client, connect.slot));
    if let Ok(created) = tokio::time::timeout(SLOT_PATIENCE, created.as_mut()).await {
        created?;
    } else {
        let waiting = StreamState::WaitingForTransactions;
        tracing::warn!(slot = %connect.slot, "{}", waiting.problem().unwrap_or_default());
        connect.state.send_replace(waiting);
        created.await?;
    }
    tracing::info!(slot = %connect.slot, "the replication slot was made");
    Ok(())
}

/// An abandoned slot would otherwise fill the disk.
async fn warn_of_unlimited_log(client: &mut ReplicationClient) -> Result<(), SessionError> {
    if in_time(store::kept_log_limit(client)).await? == "-1" {
        tracing::warn!("max_slot_wal_keep_size is not set: an unread slot can fill the disk");
    }
    Ok(())
}

async fn in_time<T>(
    answer: impl Future<Output = Result<T, PgWireError>>,
) -> Result<T, SessionError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(SessionError::Silent),
    }
}
