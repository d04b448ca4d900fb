//! Keeps the cache like the database: loads it, and again on each notification.

use std::time::Duration;

use common::BoxError;
use pg::sqlx::postgres::{PgListener, PgPool};
use tokio_util::sync::CancellationToken;

use super::CacheHandle;

/// The channel whose notifications ask for a reload.
const CHANNEL: &str = "pgrst";
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Loads the cache of `schemas` into `handle` and refreshes it until `shutdown`. While Postgres is
/// away it tries again by itself, and the cache of before stays in use.
pub(crate) async fn keep_fresh(
    pool: PgPool,
    schemas: Vec<String>,
    handle: CacheHandle,
    shutdown: CancellationToken,
) -> Result<(), BoxError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            ended = listen(&pool, &schemas, &handle) => ended,
        };
        match ended {
            // The connection was lost: what was notified meanwhile is unknown, so load again.
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                let chain = common::error::chain(&*error);
                tracing::warn!(error = %chain, "the schema cache could not be loaded; trying again");
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(()),
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Listens first and loads then, so that no change between the two goes unseen.
async fn listen(pool: &PgPool, schemas: &[String], handle: &CacheHandle) -> Result<(), BoxError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    handle.reload(pool, schemas).await?;
    while let Some(notification) = listener.try_recv().await? {
        let mut wanted = asks_for_reload(notification.payload());
        // A migration notifies once a statement: one load serves them all.
        while let Some(notification) = listener.next_buffered() {
            wanted |= asks_for_reload(notification.payload());
        }
        if wanted {
            handle.reload(pool, schemas).await?;
        }
    }
    Ok(())
}

/// `notify pgrst`, and `notify pgrst, 'reload schema'`.
fn asks_for_reload(payload: &str) -> bool {
    payload.is_empty() || payload == "reload schema"
}
