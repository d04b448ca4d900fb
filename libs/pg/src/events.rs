//! Events of the platform, for administrators: written into the write-ahead log, from where the
//! realtime service tells them in its private topic `_events` once they are committed.

use sqlx::{Error, PgConnection};

/// What marks them in the write-ahead log.
pub const LOG_PREFIX: &str = "selfdb.event";

/// Tells of `event` (`noun.verb`, as in `user.created`), when the transaction commits; `payload`
/// is JSON text without secrets.
pub async fn emit(connection: &mut PgConnection, event: &str, payload: &str) -> Result<(), Error> {
    let sql = "select pg_catalog.pg_logical_emit_message( \
           true, $1, json_build_object('event', $2::text, 'payload', $3::json)::text)";
    sqlx::query(sql)
        .bind(LOG_PREFIX)
        .bind(event)
        .bind(payload)
        .execute(connection)
        .await
        .map(drop)
}
