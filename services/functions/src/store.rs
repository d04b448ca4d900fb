//! All SQL of the service, in its own schema and as that schema's owner.

mod copy;
pub(crate) mod environment;
pub(crate) mod executions;
pub(crate) mod functions;
pub(crate) mod logs;
pub(crate) mod packages;
pub(crate) mod queue;
pub(crate) mod triggers;
pub(crate) mod versions;
pub(crate) mod webhooks;

use pg::sqlx::{self, PgConnection};

/// Makes batches of the journal commit one after the other, on whatever node they are written, so
/// that whoever reads on from an id misses none; held until the transaction ends. A crash of the
/// server itself may lose the last moments of the journal.
pub(crate) async fn journal_order(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select set_config('synchronous_commit', 'off', true),
                pg_advisory_xact_lock(hashtextextended('functions.journal', 0))",
    )
    .execute(connection)
    .await
    .map(drop)
}
