//! `realtime.messages`: the table whose policies decide over private topics.

use pg::sqlx::{self, Error, PgConnection, PgPool};

/// The schema and name of the table.
pub const TABLE: (&str, &str) = ("realtime", "messages");

/// Tells policies which topic is asked about, for the rest of the transaction: what
/// `realtime.topic()` answers.
pub async fn set_topic(connection: &mut PgConnection, topic: &str) -> Result<(), Error> {
    sqlx::query("select pg_catalog.set_config('realtime.topic', $1, true)")
        .bind(topic)
        .execute(connection)
        .await
        .map(drop)
}

/// Deletes messages older than `days`; answers how many.
pub async fn delete_older(pool: &PgPool, days: i32) -> Result<u64, Error> {
    let sql = "delete from realtime.messages \
         where inserted_at < now() - make_interval(days => $1)";
    let done = sqlx::query(sql).bind(days).execute(pool).await?;
    Ok(done.rows_affected())
}
