//! From a configuration to the service: migrate, wire, and name what runs beside requests.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use common::error::BoxError;
use common::{
    Check, Clock, Randomness as _, Service, ServiceConfig as _, SystemClock, SystemRandomness, Task,
};
use pg::sqlx::PgPool;
use pg::{Migrations, PoolOptions};

use crate::bus::{EventBus, InProcessBus};
use crate::changes::{Access, Subscriptions};
use crate::config::Config;
use crate::engine::{Authenticator, Engine};
use crate::fan_out::FanOut;
use crate::journal::Journal;
use crate::limits::Keys;
use crate::persistence::Keeper;
use crate::presence::Presence;
use crate::replication::leader::{LeaderConfig, Shared};
use crate::replication::{Catalogue, KnownTables, Leader, StreamStatus, watch};
use crate::resume::Resume;
use crate::routes;
use crate::sessions::EndedSessions;
use crate::sockets::Sockets;
use crate::store::messages;
use crate::topics::Topics;

/// The migrations of schema `realtime`.
pub const MIGRATIONS: Migrations =
    pg::migrations!("realtime": "0001_messages", "0002_binary_and_replay", "0003_persistence");

/// The owner's connections: migrations, the slot's name, sweeping messages.
const OWNER_CONNECTIONS: u32 = 2;
/// Connections of each login and kind, made when needed: policies are read and asked with them.
const ACCESS_CONNECTIONS: NonZeroU8 = NonZeroU8::MIN.saturating_add(3);
const SWEEP_EVERY: Duration = Duration::from_hours(1);
const KEEP_MESSAGES_DAYS: i32 = 3;

/// Migrates the schema and builds the service.
pub async fn build(config: Config) -> Result<Service, BoxError> {
    let options = PoolOptions::new("selfdb-realtime", OWNER_CONNECTIONS);
    let pool = pg::pool(&config.endpoint, &options);
    MIGRATIONS.run(&pool).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let topics = Arc::new(Topics::default());
    let subscriptions = Arc::new(Subscriptions::default());
    let (user, service) = (&config.authenticator, &config.service_authenticator);
    let access = Arc::new(Access::new(user, service, ACCESS_CONNECTIONS)?);
    let ended = Arc::<EndedSessions>::default();
    let fan_out = Arc::new(FanOut {
        topics: Arc::clone(&topics),
        subscriptions: Arc::clone(&subscriptions),
        access: Arc::clone(&access),
        ended: Arc::clone(&ended),
        clock: Arc::clone(&clock),
    });
    let bus: Arc<dyn EventBus> = Arc::new(InProcessBus(Arc::clone(&fan_out)));
    let journal = Arc::new(Journal::new(config.journal, config.journal_bytes));
    let known = Arc::<KnownTables>::default();
    let catalogue = Arc::new(Catalogue::new(pool.clone(), Arc::clone(&known)));
    let (state, stream) = StreamStatus::channel();
    let leader = LeaderConfig {
        endpoint: config.endpoint,
        publication: config.publication.clone(),
        instance: SystemRandomness.uuid().simple().to_string(),
        max_event_bytes: config.limits.max_event_bytes,
    };
    let shared = Shared {
        bus: Arc::clone(&bus),
        journal: Arc::clone(&journal),
        known: Arc::clone(&known),
        catalogue: Arc::clone(&catalogue),
        clock: Arc::clone(&clock),
    };
    let leader = Arc::new(Leader::new(leader, pool.clone(), shared, state));
    let watching = Arc::clone(&bus);
    let sockets = Arc::new(Sockets::new(config.limits.max_clients));
    let engine = Arc::new(Engine {
        presence: Arc::new(Presence::new(Arc::clone(&topics))),
        topics,
        subscriptions,
        access,
        bus,
        stream: stream.clone(),
        keeper: Keeper::new(pool.clone()),
        resume: Resume::new(journal, known, catalogue, fan_out),
        authenticator: Authenticator {
            verifier: config.jwt.verifier(Arc::clone(&clock)),
            keys: config.keys,
            ended,
        },
        limits: config.limits,
        keys: Keys::new(config.limits),
        sockets: Arc::clone(&sockets),
        publication: config.publication,
        origins: config.origins,
        clock,
        randomness: Arc::new(SystemRandomness),
    });
    Ok(Service {
        name: Config::NAME,
        router: routes::router(engine),
        tasks: vec![
            replicate(leader),
            watch_slot(pool.clone(), watching),
            close_sockets(sockets),
            sweep(pool),
        ],
        checks: vec![replication(stream)],
    })
}

fn replicate(leader: Arc<Leader>) -> Task {
    Task::new("replication", move |shutdown| {
        let leader = Arc::clone(&leader);
        async move {
            leader.run(shutdown).await;
            Ok(())
        }
    })
}

fn watch_slot(pool: PgPool, bus: Arc<dyn EventBus>) -> Task {
    Task::new("slot", move |shutdown| {
        let (pool, bus) = (pool.clone(), Arc::clone(&bus));
        async move {
            watch::run(&pool, &bus, &shutdown).await;
            Ok(())
        }
    })
}

/// A socket never ends by itself: at shutdown its client is told to come back.
fn close_sockets(sockets: Arc<Sockets>) -> Task {
    Task::new("sockets", move |shutdown| {
        let sockets = Arc::clone(&sockets);
        async move {
            shutdown.cancelled().await;
            sockets.stop();
            Ok(())
        }
    })
}

fn sweep(pool: PgPool) -> Task {
    Task::new("messages", move |shutdown| {
        let pool = pool.clone();
        async move {
            let mut ticks = tokio::time::interval(SWEEP_EVERY);
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(()),
                    _ = ticks.tick() => {}
                }
                let deleted = messages::delete_older(&pool, KEEP_MESSAGES_DAYS).await?;
                tracing::debug!(deleted, "old messages were deleted");
            }
        }
    })
}

fn replication(stream: StreamStatus) -> Check {
    Check::new("replication", move || {
        let problem = stream.now().problem();
        async move { problem.map_or(Ok(()), |problem| Err(problem.to_owned())) }
    })
}
