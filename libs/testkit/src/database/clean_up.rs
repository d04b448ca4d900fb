//! Dropping tests' databases: one's own when its test ends, and those whose test was killed.

use std::path::Path;
use std::time::Duration;

use pg::Ident;
use pg::sqlx::{AssertSqlSafe, PgConnection};

use crate::SharedCluster;

/// How often a replication slot's process is given a moment to end.
const ATTEMPTS: usize = 50;

/// Drops `name` from a destructor, where nothing can be awaited: on a thread of its own.
pub(super) fn drop_now(cluster: SharedCluster, name: Ident) {
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(runtime) = runtime {
            runtime.block_on(async {
                let mut connection = cluster.connect().await;
                drop_database(&mut connection, &name).await;
            });
        }
    });
    // What could not be dropped now is dropped by a later test.
    let _ = worker.join();
}

/// Drops databases whose test process is gone. Their names carry its id.
pub(super) async fn remove_abandoned(connection: &mut PgConnection) {
    let list = "select datname::text from pg_database where datname like 'test\\_%'";
    let names: Vec<String> = pg::sqlx::query_scalar(list)
        .fetch_all(&mut *connection)
        .await
        .unwrap_or_default();
    for name in names {
        let process = name.split('_').nth(1).map(|id| Path::new("/proc").join(id));
        let abandoned = process.is_some_and(|process| !process.exists());
        if let (true, Ok(name)) = (abandoned, Ident::new(name)) {
            drop_database(connection, &name).await;
        }
    }
}

/// Slots go first: they hold their database even against `force`.
async fn drop_database(connection: &mut PgConnection, name: &Ident) {
    let end = "select pg_terminate_backend(active_pid) from pg_replication_slots \
               where database = $1 and active";
    let drop_idle = "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
                     where database = $1 and not active";
    let left = "select count(*) from pg_replication_slots where database = $1";
    for _ in 0..ATTEMPTS {
        for statement in [end, drop_idle] {
            let query = pg::sqlx::query(statement).bind(name.as_str());
            let _ = query.execute(&mut *connection).await;
        }
        let count = pg::sqlx::query_scalar(left).bind(name.as_str());
        let count: i64 = count.fetch_one(&mut *connection).await.unwrap_or_default();
        if count == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let drop = format!("drop database if exists {name} with (force)");
    let _ = pg::sqlx::query(AssertSqlSafe(drop))
        .execute(connection)
        .await;
}
