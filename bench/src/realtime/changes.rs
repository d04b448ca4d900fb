//! Rows are inserted, all sockets hear of them.

use std::time::{Duration, Instant};

use pg::sqlx;
use uuid::Uuid;

use super::fan_out::{Load, gather, listen};
use super::ground::Ground;
use super::report::Measured;
use super::socket::{Dialect, Socket};
use crate::cpu;

const REST: Duration = Duration::from_secs(10);

/// A kind of table.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) title: &'static str,
    name: &'static str,
    insert: &'static str,
    /// Rows a second.
    rate: u32,
    /// Whether a policy lets each user see their rows only; they are all one user's.
    owned: bool,
}

pub(super) const TABLES: [Table; 3] = [
    Table {
        title: "postgres_changes without policies, 1,000/s",
        name: "open_rows",
        insert: "insert into public.open_rows (at) values ($1)",
        rate: 1000,
        owned: false,
    },
    Table {
        title: "postgres_changes with a policy, 500/s",
        name: "own_rows",
        insert: "insert into public.own_rows (at, user_id) values ($1, $2)",
        rate: 500,
        owned: true,
    },
    Table {
        title: "insert to event, 20/s",
        name: "open_rows",
        insert: "insert into public.open_rows (at) values ($1)",
        rate: 20,
        owned: false,
    },
];

pub(super) async fn measure(ground: &Ground, table: Table, load: Load) -> Measured {
    let user = Uuid::new_v4();
    let token = if table.owned {
        ground.db.user_token(user, "bench@example.com")
    } else {
        ground.db.anon_token().to_owned()
    };
    let address = ground.address(&token);
    let config = format!(
        r#","postgres_changes":[{{"event":"INSERT","schema":"public","table":"{}"}}]"#,
        table.name
    );
    let mut sockets = Vec::with_capacity(load.sockets);
    for _ in 0..load.sockets {
        sockets.push(Socket::join(&address, Dialect::Phoenix, &config).await);
    }
    let rate = table
        .rate
        .min(u32::try_from(load.rate).unwrap_or(u32::MAX).max(20) * 10);
    let rows = u64::from(rate) * load.time.as_secs();
    let pool = ground.db.admin_pool();
    let begun = Instant::now();
    let before = cpu::family(ground.pid());
    let messages = usize::try_from(rows).unwrap_or(usize::MAX);
    let listening = listen(sockets, messages, begun, load.time * 2 + REST);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut inserts = tokio::task::JoinSet::new();
    for _ in 0..rows {
        ticks.tick().await;
        let pool = pool.clone();
        inserts.spawn(async move {
            let at = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
            let query = sqlx::query(table.insert).bind(at);
            let query = if table.owned { query.bind(user) } else { query };
            // One that could not be made is missed.
            let _ = query.execute(&pool).await;
        });
    }
    while inserts.join_next().await.is_some() {}
    let elapsed = begun.elapsed();
    Measured {
        expected: messages * load.sockets,
        latencies: gather(listening).await,
        elapsed,
        cpu: cpu::family(ground.pid()).saturating_sub(before),
    }
}
