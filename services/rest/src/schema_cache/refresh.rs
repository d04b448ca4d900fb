//! Keeps the cache like the database: loads it, and again on each notification.

use std::time::Duration;

use common::BoxError;
use pg::sqlx::postgres::{PgListener, PgNotification};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::changes::Changes;
use crate::config::Recovery;
use crate::live::Live;
use crate::standalone::NOTICES;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A burst of notifications has ended when there was none for so long,
const QUIET: Duration = Duration::from_millis(10);
/// or when it has gone on for so long.
const LONGEST_BURST: Duration = Duration::from_millis(100);

/// Loads the cache of `live` and refreshes it until `shutdown`. While Postgres is away it tries
/// again by itself, and the cache of before stays in use.
pub(crate) async fn keep_fresh(live: Live, shutdown: CancellationToken) -> Result<(), BoxError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            ended = listen(&live) => ended,
        };
        match ended {
            // The connection was lost: what was notified meanwhile is unknown, so load again.
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                let chain = common::error::chain(&*error);
                if live.app().config.connections.recovery == Recovery::None {
                    tracing::error!(target: NOTICES, "Automatic recovery is disabled, exiting: {chain}");
                    live.give_up();
                }
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

/// Listens first and loads then, so that no change between the two goes unseen. Ends where the
/// connection was lost, or a reload of everything is asked for.
async fn listen(live: &Live) -> Result<(), BoxError> {
    let app = live.app();
    let mut listener = match &app.config.connections.channel {
        None => None,
        Some(channel) => {
            let mut listener = PgListener::connect_with(&app.catalogue).await?;
            listener.listen(channel.as_str()).await?;
            tracing::info!(
                target: NOTICES,
                "Listening for database notifications on the {channel} channel"
            );
            Some(listener)
        }
    };
    live.reload_config().await;
    refresh(live, &Changes::everything()).await?;
    loop {
        let heard = tokio::select! {
            () = live.asked() => return Ok(()),
            heard = hear(&mut listener) => heard?,
        };
        let Some(heard) = heard else {
            return Ok(());
        };
        let mut changes = Changes::default();
        changes.note(heard.payload());
        note_burst(&mut listener, &mut changes).await?;
        if changes.config {
            live.reload_config().await;
        }
        refresh(live, &changes).await?;
    }
}

/// Takes what is notified within moments: a migration notifies once a statement, and one refresh
/// serves them all.
async fn note_burst(
    listener: &mut Option<PgListener>,
    changes: &mut Changes,
) -> Result<(), pg::sqlx::Error> {
    let end = Instant::now() + LONGEST_BURST;
    while let Ok(more) = timeout_at(end.min(Instant::now() + QUIET), hear(listener)).await {
        match more? {
            Some(more) => changes.note(more.payload()),
            // The connection was lost: what was notified meanwhile is unknown.
            None => *changes = Changes::everything(),
        }
    }
    Ok(())
}

/// The next notification; `None` where the connection was lost. Nobody is heard where nobody
/// listens.
async fn hear(
    listener: &mut Option<PgListener>,
) -> Result<Option<PgNotification>, pg::sqlx::Error> {
    match listener {
        Some(listener) => listener.try_recv().await,
        None => std::future::pending().await,
    }
}

/// Brings the cache up to date with `changes`, and notes how long that took.
async fn refresh(live: &Live, changes: &Changes) -> Result<(), BoxError> {
    let app = live.app();
    let began = Instant::now();
    let cache = &app.cache;
    let loaded = cache
        .refresh(&app.catalogue, &app.config.schemas, changes)
        .await;
    live.note_load(loaded.is_ok().then(|| began.elapsed()));
    Ok(loaded?)
}
