//! Writers that go on whatever happens, and note what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pg::sqlx::{self, PgPool};
use testkit::history::History;

use super::processes::Processes;

/// The mark of the last rows.
pub(super) const LAST: &str = "last";
const WRITERS: u64 = 3;
/// The most rows of one transaction, in a run of few events and in one of many.
const MOST_ROWS: u64 = 5;
const MOST_ROWS_OF_MANY: u64 = 60;
const MANY: u64 = 100_000;
/// Between two transactions of one writer, so that faults have something to fall into.
const PAUSE: Duration = Duration::from_millis(4);
const RETRY: Duration = Duration::from_millis(50);

/// Writes `events` rows, several to a transaction.
pub(super) async fn write(processes: &Arc<Processes>, history: &Arc<History>, events: u64) {
    let left = Arc::new(AtomicU64::new(events));
    let most = if events < MANY {
        MOST_ROWS
    } else {
        MOST_ROWS_OF_MANY
    };
    let writers = (0..WRITERS).map(|writer| {
        let (pool, history, left) = (processes.pool(), Arc::clone(history), Arc::clone(&left));
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
