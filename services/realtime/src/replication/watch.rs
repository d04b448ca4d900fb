//! Watching the slot: how far behind its reader is, and how much log is kept for it.

use std::sync::Arc;
use std::time::Duration;

use pg::sqlx::{self, PgPool};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::broadcast::Broadcast;
use crate::bus::{Event, EventBus};
use crate::store::replication::{self as store, SlotHealth};

const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks at the slot until `shutdown`: sets the metrics `selfdb_realtime_slot_lag_bytes`,
/// `selfdb_realtime_slot_kept_bytes` and `selfdb_realtime_slot_left_bytes`, and tells
/// administrators when it is about to be lost.
pub async fn run(pool: &PgPool, bus: &Arc<dyn EventBus>, shutdown: &CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let mut before = String::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match look(pool).await {
            Ok(Some(health)) => {
                show(&health);
                if health.wal_status != before {
                    tell(bus, &health).await;
                    before = health.wal_status;
                }
            }
            Ok(None) => {}
            // It is said elsewhere that Postgres is away.
            Err(error) => tracing::debug!(%error, "the slot could not be looked at"),
        }
    }
}

async fn look(pool: &PgPool) -> Result<Option<SlotHealth>, sqlx::Error> {
    let slot = store::slot_name(pool).await?;
    store::slot_health(pool, &slot).await
}

fn show(health: &SlotHealth) {
    metrics::gauge!("selfdb_realtime_slot_lag_bytes").set(health.lag_bytes);
    metrics::gauge!("selfdb_realtime_slot_kept_bytes").set(health.kept_bytes);
    if let Some(left) = health.left_bytes {
        metrics::gauge!("selfdb_realtime_slot_left_bytes").set(left);
    }
}

async fn tell(bus: &Arc<dyn EventBus>, health: &SlotHealth) {
    let status = health.wal_status.as_str();
    if matches!(status, "unreserved" | "lost") {
        tracing::error!(status, "the replication slot is about to be lost, or is");
    }
    let payload = json!({
        "status": status,
        "lag_bytes": health.lag_bytes,
        "kept_bytes": health.kept_bytes,
        "left_bytes": health.left_bytes,
    });
    let event = Broadcast::platform("replication.slot", &payload);
    bus.publish(Event::Broadcast(event)).await;
}
