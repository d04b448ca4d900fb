//! The task that keeps a stream: connects, reads, and connects again whatever ended it.

use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use common::error::chain;
use pg::Endpoint;
use pg::endpoint::TlsMode;
use pg::sqlx::{self, PgPool};
use pgwire_replication::{PgWireError, ReplicationConfig, SslMode, TlsConfig};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::catalogue::Catalogue;
use super::relations::KnownTables;
use super::session::{self, Connect, Memory, SessionError};
use super::slot::SlotName;
use super::state::StreamState;
use super::stream::{Parts, Stream, StreamError};
use crate::broadcast::Broadcast;
use crate::bus::{Event, EventBus};
use crate::journal::Journal;
use crate::store::replication as store;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A slot that the server failed to read this often, without one event between, is given up.
const MAX_FAILURES: u32 = 5;
/// Rows may be large: few of them wait between the connection and its reader.
const BUFFERED_EVENTS: usize = 256;
/// How often the confirmed position is told to the server.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// How long nothing is said where nothing has changed. Longer than the server waits before it asks
/// whether we are there: a server that is told so unasked never says anything itself, and its
/// silence would look like a lost connection.
const QUIET: Duration = Duration::from_mins(1);
/// Text formats are the same whatever the database's settings; a server that hears nothing for
/// 20 s frees the slot for another leader.
const SESSION_OPTIONS: &str = "-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres \
     -c extra_float_digits=1 -c bytea_output=hex -c wal_sender_timeout=20s \
     -c statement_timeout=0 -c idle_session_timeout=0";

/// What the leader needs to know.
#[derive(Debug, Clone)]
pub struct LeaderConfig {
    /// Where to connect, as a role that may replicate.
    pub endpoint: Endpoint,
    /// The publication whose tables are read.
    pub publication: String,
    /// A name of this process, unlike any other's: letters, digits and `-`.
    pub instance: String,
    /// Rows of more bytes are not told.
    pub max_event_bytes: usize,
}

/// What the leader shares with the rest of the service.
pub struct Shared {
    /// Where events go.
    pub bus: Arc<dyn EventBus>,
    /// Where they are kept.
    pub journal: Arc<Journal>,
    /// The newest definitions of tables.
    pub known: Arc<KnownTables>,
    /// What types are made of.
    pub catalogue: Arc<Catalogue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Keeps the stream of one database.
pub struct Leader {
    config: LeaderConfig,
    pool: PgPool,
    shared: Shared,
    state: watch::Sender<StreamState>,
}

#[derive(Debug, thiserror::Error)]
enum LeaderError {
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Stream(#[from] StreamError),
}

impl LeaderError {
    /// Whether the server refused to read the slot, rather than being away.
    fn blames_the_slot(&self) -> bool {
        match self {
            Self::Stream(StreamError::Connection(PgWireError::Server(text))) => {
                !text.contains("SQLSTATE 57P")
            }
            Self::Stream(StreamError::Relation(_)) => true,
            Self::Database(_) | Self::Session(_) | Self::Stream(_) => false,
        }
    }
}

impl Leader {
    /// A leader that shows its state in `state`.
    pub fn new(
        config: LeaderConfig,
        pool: PgPool,
        shared: Shared,
        state: watch::Sender<StreamState>,
    ) -> Self {
        Self {
            config,
            pool,
            shared,
            state,
        }
    }

    /// Keeps the stream until `shutdown`.
    pub async fn run(&self, shutdown: CancellationToken) {
        let _closing = self.shared.journal.closing();
        let mut memory = Memory::default();
        let mut pause = FIRST_PAUSE;
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            let before = memory.cursor.reached();
            let Some(error) = self.stream(&mut memory, &shutdown).await.err() else {
                break;
            };
            if self
                .state
                .send_replace(StreamState::Disconnected)
                .problem()
                .is_none()
            {
                pause = FIRST_PAUSE;
            }
            tracing::warn!(error = %chain(&error), "the replication stream is away");
            if memory.cursor.reached() != before {
                failures = 0;
            }
            if error.blames_the_slot() {
                failures += 1;
            }
            if failures >= MAX_FAILURES {
                failures = 0;
                memory.replace_slot = true;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One connection, from its beginning to its end.
    async fn stream(
        &self,
        memory: &mut Memory,
        shutdown: &CancellationToken,
    ) -> Result<(), LeaderError> {
        let before = memory.cursor.epoch();
        let client = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            client = self.connect(memory) => client?,
        };
        let epoch = memory.cursor.epoch();
        if before != 0 && before != epoch {
            self.shared.bus.publish(Event::Gap).await;
        }
        tracing::info!(epoch, "the replication stream has started");
        self.state.send_replace(StreamState::Streaming { epoch });
        metrics::gauge!("selfdb_realtime_epoch_started_seconds").set(seconds(epoch));
        let payload = json!({ "epoch": format!("{epoch:x}"), "anew": before != epoch });
        let event = Broadcast::platform("replication.streaming", &payload);
        self.shared.bus.publish(Event::Broadcast(event)).await;
        let parts = Parts {
            bus: &*self.shared.bus,
            journal: &self.shared.journal,
            known: &self.shared.known,
            catalogue: &self.shared.catalogue,
            max_event_bytes: self.config.max_event_bytes,
        };
        let stream = Stream::new(client, parts, memory);
        Ok(stream.run(shutdown).await?)
    }

    async fn connect(
        &self,
        memory: &mut Memory,
    ) -> Result<pgwire_replication::ReplicationClient, LeaderError> {
        let slot = match &memory.slot {
            Some(slot) => slot.clone(),
            None => store::slot_name(&self.pool).await?,
        };
        memory.slot = Some(slot.clone());
        let instance = format!("selfdb-realtime/{}", self.config.instance);
        let connect = Connect {
            config: self.replication_config(&slot, &instance),
            slot: &slot,
            instance: &instance,
            publication: &self.config.publication,
            state: &self.state,
            bus: &*self.shared.bus,
            journal: &self.shared.journal,
            next_epoch: self.now_ms(),
        };
        Ok(session::start(connect, memory).await?)
    }

    fn now_ms(&self) -> u64 {
        let now = self.shared.clock.now().unix_timestamp_nanos() / 1_000_000;
        u64::try_from(now).unwrap_or_default()
    }

    fn replication_config(&self, slot: &SlotName, instance: &str) -> ReplicationConfig {
        let endpoint = &self.config.endpoint;
        let password = endpoint
            .password
            .as_ref()
            .map_or("", |secret| secret.expose());
        ReplicationConfig::new(
            endpoint.host.clone(),
            endpoint.user.clone(),
            password,
            endpoint.database.clone(),
            slot.as_str(),
            self.config.publication.clone(),
        )
        .with_port(endpoint.port)
        .with_tls(tls(endpoint))
        .with_status_interval(STATUS_EVERY)
        .with_wakeup_interval(QUIET)
        .with_buffer_size(BUFFERED_EVENTS)
        .with_options(SESSION_OPTIONS)
        .with_application_name(instance)
    }
}

/// Epochs are numbered by the millisecond they begin in.
fn seconds(epoch: u64) -> f64 {
    Duration::from_millis(epoch).as_secs_f64()
}

fn tls(endpoint: &Endpoint) -> TlsConfig {
    let mode = match endpoint.tls {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require => SslMode::Require,
        TlsMode::VerifyCa => SslMode::VerifyCa,
        TlsMode::VerifyFull => SslMode::VerifyFull,
    };
    TlsConfig {
        mode,
        ca_pem_path: endpoint.root_certificate.clone(),
        ..TlsConfig::disabled()
    }
}
