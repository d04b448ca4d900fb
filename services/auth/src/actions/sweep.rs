//! Removing what no request asks for any more.

use std::time::Duration;

use common::BoxError;
use pg::sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store;

/// How often.
const PAUSE: Duration = Duration::from_hours(1);
/// How many rows one statement removes, so that none runs long.
const BATCH: i64 = 1_000;
/// How long a replaced token is kept: using it that late still ends its session.
const KEEP_REVOKED: Duration = Duration::from_hours(30 * 24);
/// How long a session that ended is kept.
const KEEP_ENDED: Duration = Duration::from_hours(72);

/// How long what was sent and not used is kept: longer than any of it is good.
const KEEP_UNUSED: Duration = Duration::from_hours(7 * 24);

/// Sweeps every hour until shutdown.
pub async fn run(app: &App, shutdown: CancellationToken) -> Result<(), BoxError> {
    let mut ticks = tokio::time::interval(PAUSE);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => sweep(&app.pool, app.now()).await?,
        }
    }
}

/// Removes replaced refresh tokens and ended sessions of long ago. Several nodes may sweep at once.
pub async fn sweep(pool: &PgPool, now: OffsetDateTime) -> store::StoreResult<()> {
    let mut connection = pool.acquire().await?;
    let revoked_before = now - KEEP_REVOKED;
    while store::refresh_tokens::delete_revoked(&mut connection, revoked_before, BATCH).await? > 0 {
    }
    let ended_before = now - KEEP_ENDED;
    while store::sessions::delete_ended(&mut connection, ended_before, BATCH).await? > 0 {}
    let made_before = now - KEEP_UNUSED;
    while store::one_time_tokens::delete_old(&mut connection, made_before, BATCH).await? > 0 {}
    while store::factors::delete_old_challenges(&mut connection, made_before, BATCH).await? > 0 {}
    while store::passkeys::delete_old_challenges(&mut connection, made_before, BATCH).await? > 0 {}
    while store::flow_states::delete_old(&mut connection, made_before, BATCH).await? > 0 {}
    Ok(())
}
