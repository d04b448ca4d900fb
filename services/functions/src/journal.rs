//! What functions did and said, on its way to Postgres. Nothing waits for it: requests hand their
//! records over, and a task of its own writes them in batches.

mod writer;

use std::sync::{Mutex, PoisonError};

use common::BoxError;
use pg::sqlx::postgres::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::execution::{Execution, LogLine};
use crate::store;

/// Records that may wait for the writer; further ones are counted and dropped.
const MOST_WAITING: usize = 20_000;

/// Takes records. Cloned freely.
#[derive(Debug, Clone)]
pub(crate) struct Journal(mpsc::Sender<Record>);

/// The other end, for the task that writes.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    records: Mutex<Option<mpsc::Receiver<Record>>>,
    pool: PgPool,
}

#[derive(Debug)]
enum Record {
    Execution(Box<Execution>),
    Line(Box<LogLine>),
}

/// A journal, and what writes it into `pool`.
pub(crate) fn open(pool: PgPool) -> (Journal, JournalWriter) {
    let (sender, records) = mpsc::channel(MOST_WAITING);
    let writer = JournalWriter {
        records: Mutex::new(Some(records)),
        pool,
    };
    (Journal(sender), writer)
}

impl Journal {
    pub(crate) fn execution(&self, execution: Execution) {
        self.put(Record::Execution(Box::new(execution)));
    }

    pub(crate) fn line(&self, line: LogLine) {
        self.put(Record::Line(Box::new(line)));
    }

    fn put(&self, record: Record) {
        if self.0.try_send(record).is_err() {
            metrics::counter!("selfdb_function_records_dropped_total").increment(1);
        }
    }

    /// A journal whose records are read by a test.
    #[cfg(test)]
    pub(crate) fn for_test() -> (Self, TestRecords) {
        let (sender, records) = mpsc::channel(MOST_WAITING);
        (Self(sender), TestRecords(records))
    }
}

/// What a test's journal was given.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct TestRecords(mpsc::Receiver<Record>);

#[cfg(test)]
impl TestRecords {
    /// The next line that was put, if there is one.
    pub(crate) fn try_line(&mut self) -> Option<LogLine> {
        match self.0.try_recv().ok()? {
            Record::Line(line) => Some(*line),
            Record::Execution(_) => self.try_line(),
        }
    }
}

impl JournalWriter {
    /// Writes until `shutdown`, and then what is left.
    pub(crate) async fn run(&self, shutdown: CancellationToken) -> Result<(), BoxError> {
        let taken = {
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            records.take()
        };
        let Some(mut records) = taken else {
            return Ok(());
        };
        writer::write(&mut records, &self.pool, &shutdown).await;
        let mut kept = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(records);
        Ok(())
    }
}

/// How long records are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub(crate) days: i32,
    /// Log lines beyond this many go, the oldest first.
    pub(crate) lines: i64,
}

/// Deletes what is older than the policy keeps, a batch at a time.
pub(crate) async fn sweep(pool: &PgPool, retention: Retention) -> Result<u64, BoxError> {
    let mut deleted = 0;
    loop {
        let executions = store::executions::delete_old(pool, retention.days).await?;
        let aged = store::logs::delete_old(pool, retention.days).await?;
        let excess = store::logs::delete_beyond(pool, retention.lines).await?;
        let round = executions + aged + excess;
        deleted += round;
        if round == 0 {
            return Ok(deleted);
        }
    }
}
