//! Schedules whose time has come. The row of a schedule is locked while its call is put into the
//! queue and its next time set, all in one transaction: one node does it, once. Times that were
//! missed while no node ran are made up for by one call.

use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::domain::trigger::Schedule;
use crate::store::queue::{self, NewEvent};
use crate::store::triggers;

/// Makes a call of every schedule that is due; answers how many.
pub(super) async fn enqueue_due(pool: &PgPool) -> Result<usize, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let due = triggers::lock_due(&mut transaction).await?;
    for schedule in &due {
        let scheduled_at = schedule.due_at.format(&Rfc3339).unwrap_or_default();
        let event = NewEvent {
            function: schedule.function,
            kind: "schedule",
            source: &schedule.name,
            payload: json!({
                "name": schedule.name, "cron": schedule.cron, "timezone": schedule.timezone,
                "scheduled_at": scheduled_at,
            }),
        };
        queue::insert(&mut transaction, &event).await?;
        let parsed = Schedule::parse(&schedule.cron, Some(&schedule.timezone));
        let next = parsed
            .ok()
            .and_then(|parsed| parsed.next_after(schedule.now));
        triggers::move_on(&mut transaction, schedule.id, next).await?;
    }
    transaction.commit().await?;
    Ok(due.len())
}
