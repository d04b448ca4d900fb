//! Our clients, driven by as many tasks as there are connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pg::pipeline::Decision;
use pg::sqlx;

use super::ground::{Ground, ROWS, batch, context};
use super::report::Line;
use super::workload::Workload;
use crate::cpu;

/// A way to run a request.
#[derive(Clone, Copy)]
pub(super) enum Client {
    /// One write, one implicit transaction.
    Run,
    /// A second round trip, for the caller's decision.
    Checked,
    /// Begin, context, statement, commit.
    Sqlx,
}

pub(super) const CLIENTS: [Client; 3] = [Client::Run, Client::Checked, Client::Sqlx];

impl Client {
    fn name(self) -> &'static str {
        match self {
            Self::Run => "pipeline",
            Self::Checked => "pipeline, checked",
            Self::Sqlx => "sqlx",
        }
    }
}

pub(super) async fn measure(
    ground: &Arc<Ground>,
    workload: &'static Workload,
    client: Client,
    time: Duration,
) -> Line {
    // Connections and prepared statements are there before the measurement begins.
    drive(ground, workload, client, Duration::from_millis(500)).await;
    let postmaster = ground.postmaster();
    let before = (cpu::own(), cpu::family(postmaster));
    let started = Instant::now();
    let requests = f64::from(drive(ground, workload, client, time).await);
    let elapsed = started.elapsed();
    let after = (cpu::own(), cpu::family(postmaster));
    Line {
        client: client.name(),
        requests,
        per_second: requests / elapsed.as_secs_f64(),
        client_cpu: after.0.saturating_sub(before.0),
        postgres_cpu: after.1.saturating_sub(before.1),
    }
}

/// Runs requests for `time`, and gives how many.
async fn drive(
    ground: &Arc<Ground>,
    workload: &'static Workload,
    client: Client,
    time: Duration,
) -> u32 {
    let until = Instant::now() + time;
    let requests = Arc::new(AtomicU32::new(0));
    let tasks = (0..ground.connections).map(|number| {
        let (ground, requests) = (Arc::clone(ground), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut key = number;
            while Instant::now() < until {
                // A full-period generator: every row, in no order.
                key = (key * 21 + 13) % ROWS;
                request(&ground, workload, client, key + 1).await;
                requests.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    requests.load(Ordering::Relaxed)
}

async fn request(ground: &Ground, workload: &Workload, client: Client, key: u32) {
    let (context, key) = (context(workload), key.to_string());
    let mut batch = batch(workload);
    batch.statements = batch
        .statements
        .into_iter()
        .map(|s| s.bind(&*key))
        .collect();
    match client {
        Client::Run => {
            let results = ground.pipeline.run(&context, &batch).await;
            results.expect("results");
        }
        Client::Checked => {
            let decide = |_: &[_]| Decision::Commit;
            let checked = ground.pipeline.run_checked(&context, &batch, decide);
            checked.await.expect("results");
        }
        Client::Sqlx => {
            let begun = ground.pools.begin(&context).await;
            let mut transaction = begun.expect("a transaction");
            let query = sqlx::query(workload.sql).bind(key);
            let rows = query.fetch_all(&mut *transaction).await;
            rows.expect("results");
            transaction.commit().await.expect("a commit");
        }
    }
}
