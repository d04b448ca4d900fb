//! Small, lazy connection pools.

use std::time::Duration;

use common::Check;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Error};

use crate::Endpoint;

/// A connection that rested longer than this is asked whether it still lives before it is used. Short,
/// since sqlx begins to count anew whenever it looks for connections to close: in that moment one
/// that has died long ago counts as used just now.
const TRUSTED_IDLE: Duration = Duration::from_millis(20);

/// What a pool may hold and how long it waits.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// What Postgres shows in `pg_stat_activity`: `selfdb-auth`.
    pub application_name: String,
    /// The most connections at once.
    pub max_connections: u32,
    /// How long a request waits for a connection, also while Postgres restarts.
    pub acquire_timeout: Duration,
    /// How long an unused connection stays open.
    pub idle_timeout: Duration,
    /// How long one statement may run, unless its transaction says otherwise.
    pub statement_timeout: Duration,
}

impl PoolOptions {
    /// A pool of `max_connections`: 5 s to get one, 60 s of rest, 30 s a statement.
    pub fn new(application_name: impl Into<String>, max_connections: u32) -> Self {
        Self {
            application_name: application_name.into(),
            max_connections,
            acquire_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_mins(1),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// A pool that connects when it is first used, and again by itself after Postgres was away.
pub fn pool(endpoint: &Endpoint, options: &PoolOptions) -> PgPool {
    let timeout = options.statement_timeout.as_millis().to_string();
    let connect = endpoint
        .connect_options()
        .application_name(&options.application_name)
        .options([("statement_timeout", timeout)]);
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(options.idle_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, rest| {
            Box::pin(async move {
                if rest.idle_for < TRUSTED_IDLE {
                    return Ok(true);
                }
                is_alive(connection).await
            })
        })
        .connect_lazy_with(connect)
}

/// Whether Postgres answers, as a service's readiness asks.
pub fn check(pool: &PgPool) -> Check {
    let pool = pool.clone();
    Check::new("postgres", move || {
        let pool = pool.clone();
        async move {
            let answer = sqlx::query("select 1").execute(&pool).await;
            answer.map(drop).map_err(|_| "does not answer".to_owned())
        }
    })
}

async fn is_alive(connection: &mut PgConnection) -> Result<bool, Error> {
    Ok(connection.ping().await.is_ok())
}
