//! Batches: whatever has come since the last one goes into Postgres in one transaction.

use std::time::Duration;

use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Record;
use crate::domain::execution::{Execution, LogLine};
use crate::store;

/// How long a record waits for others.
const GATHER: Duration = Duration::from_millis(200);
const MOST_AT_ONCE: usize = 2_000;
/// After a batch that Postgres did not take.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a batch that Postgres refuses, though it is there, is tried.
const TRIES: u32 = 3;

#[derive(Default)]
struct Batch {
    executions: Vec<Execution>,
    lines: Vec<LogLine>,
}

pub(super) async fn write(
    records: &mut mpsc::Receiver<Record>,
    pool: &PgPool,
    shutdown: &CancellationToken,
) {
    let mut received = Vec::with_capacity(64);
    loop {
        let some = tokio::select! {
            some = records.recv_many(&mut received, MOST_AT_ONCE) => some,
            () = shutdown.cancelled() => {
                records.close();
                records.recv_many(&mut received, MOST_AT_ONCE).await
            }
        };
        if some == 0 {
            return;
        }
        let batch = Batch::of(&mut received);
        save(&batch, pool, shutdown).await;
        // A full batch says that more are waiting.
        if some < MOST_AT_ONCE {
            let _ = tokio::time::timeout(GATHER, shutdown.cancelled()).await;
        }
    }
}

impl Batch {
    fn of(records: &mut Vec<Record>) -> Self {
        let mut batch = Self::default();
        for record in records.drain(..) {
            match record {
                Record::Execution(execution) => batch.executions.push(*execution),
                Record::Line(line) => batch.lines.push(*line),
            }
        }
        batch
    }
}

/// Tries until Postgres takes the batch; a shutdown ends the patience.
async fn save(batch: &Batch, pool: &PgPool, shutdown: &CancellationToken) {
    let mut tries = 0;
    loop {
        let Err(error) = insert(batch, pool).await else {
            return;
        };
        if is_there_already(&error) {
            return;
        }
        let away = pg::is_unavailable(&error);
        tries += u32::from(!away);
        if shutdown.is_cancelled() || tries >= TRIES {
            let (executions, lines) = (batch.executions.len(), batch.lines.len());
            let error = common::error::chain(&error);
            tracing::error!(error, executions, lines, "records of functions are lost");
            return;
        }
        let _ = tokio::time::timeout(PAUSE, shutdown.cancelled()).await;
    }
}

/// Whether a batch was written by a try whose end was not heard of.
fn is_there_already(error: &sqlx::Error) -> bool {
    let database = error.as_database_error();
    database.is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn insert(batch: &Batch, pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    store::journal_order(&mut transaction).await?;
    if !batch.executions.is_empty() {
        store::executions::insert(&mut transaction, &batch.executions).await?;
    }
    if !batch.lines.is_empty() {
        store::logs::insert(&mut transaction, &batch.lines).await?;
    }
    transaction.commit().await
}
