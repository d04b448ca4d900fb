//! Writers that go on whatever happens, and note what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pg::sqlx::{self, PgPool};
use testkit::history::History;

use super::MANY;
use super::processes::Processes;

/// The mark of the last rows.
pub(super) const LAST: &str = "last";
const WRITERS: u64 = 3;
/// The most rows of one transaction, in a run of few events and in one of many.
const MOST_ROWS: u64 = 5;
const MOST_ROWS_OF_MANY: u64 = 500;
/// Between two transactions of one writer, so that faults have something to fall into.
const PAUSE: Duration = Duration::from_millis(4);
const RETRY: Duration = Duration::from_millis(50);
/// How far the client may be behind before writers wait for it: less than the journal keeps.
const MOST_AHEAD: u64 = 50_000;

/// Writes `events` rows, several to a transaction; `heard` is how many the client has heard.
pub(super) async fn write(
    processes: &Arc<Processes>,
    history: &Arc<History>,
    events: u64,
    heard: &Arc<AtomicU64>,
) {
    let left = Arc::new(AtomicU64::new(events));
    let most = if events < MANY {
        MOST_ROWS
    } else {
        MOST_ROWS_OF_MANY
    };
    let writers = (0..WRITERS).map(|writer| {
        let (pool, history, left) = (processes.pool(), Arc::clone(history), Arc::clone(&left));
        let heard = Arc::clone(heard);
        tokio::spawn(async move {
            let mut next = 0u64;
            loop {
                let rows = 1 + next % most;
                let take = |left: u64| left.checked_sub(rows.min(left)).filter(|_| left > 0);
                if left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                    .is_err()
                {
                    break;
                }
                let marks: Vec<String> = (next..next + rows)
                    .map(|n| format!("{writer}-{n}"))
                    .collect();
                next += rows;
                let taken = || events - left.load(Ordering::Relaxed);
                while taken().saturating_sub(heard.load(Ordering::Relaxed)) > MOST_AHEAD {
                    tokio::time::sleep(RETRY).await;
                }
                if !insert(&pool, &history, &marks).await {
                    tokio::time::sleep(RETRY).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
}

/// Writes a last row, if that is possible now.
pub(super) async fn write_last(processes: &Processes) {
    let sql = "insert into public.events (mark) values ($1)";
    let _ = sqlx::query(sql).bind(LAST).execute(&processes.pool()).await;
}

async fn insert(pool: &PgPool, history: &History, marks: &[String]) -> bool {
    let attempts: Vec<_> = marks.iter().map(|mark| history.invoke(mark)).collect();
    let sql = "insert into public.events (mark) select unnest($1::text[])";
    let inserted = sqlx::query(sql).bind(marks).execute(pool).await;
    if inserted.is_ok() {
        attempts
            .into_iter()
            .for_each(testkit::history::Attempt::acknowledge);
    }
    inserted.is_ok()
}
