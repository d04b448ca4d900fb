//! What functions have printed.

use pg::sqlx::postgres::{PgPool, PgRow};
use pg::sqlx::{self, PgConnection, Row as _};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::execution::LogLine;

/// Rows deleted at a time.
const BATCH: i64 = 10_000;

/// A line, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct LogRow {
    pub(crate) id: i64,
    function: String,
    version: String,
    execution_id: Option<Uuid>,
    level: String,
    message: String,
    #[serde(with = "time::serde::rfc3339")]
    logged_at: OffsetDateTime,
}

/// Which lines are asked for.
#[derive(Debug, Default)]
pub(crate) struct LogFilter {
    pub(crate) function: String,
    pub(crate) execution: Option<Uuid>,
    pub(crate) level: Option<String>,
    /// Only lines behind this id.
    pub(crate) after: Option<i64>,
    pub(crate) limit: i64,
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    lines: &[LogLine],
) -> Result<(), sqlx::Error> {
    fn each<'a, T>(all: &'a [LogLine], get: impl Fn(&'a LogLine) -> T) -> Vec<T> {
        all.iter().map(get).collect()
    }
    sqlx::query(
        "insert into functions.logs (function, version, execution_id, level, message, logged_at)
         select function, version, execution_id, level, message, logged_at
           from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[],
                       $6::timestamptz[]) with ordinality
             as line (function, version, execution_id, level, message, logged_at, place)
          order by place",
    )
    .bind(each(lines, |line| line.function.as_str()))
    .bind(each(lines, |line| line.version.as_str()))
    .bind(each(lines, |line| line.execution))
    .bind(each(lines, |line| line.level.as_str()))
    // Postgres' text has no NUL.
    .bind(each(lines, |line| line.message.replace('\0', "\u{fffd}")))
    .bind(each(lines, |line| line.at))
    .execute(connection)
    .await
    .map(drop)
}

/// In the order they were printed: the first ones behind `after`, else the last ones there are.
pub(crate) async fn list(pool: &PgPool, filter: &LogFilter) -> Result<Vec<LogRow>, sqlx::Error> {
    let onwards = "select * from functions.logs
          where function = $1 and ($2::uuid is null or execution_id = $2)
            and ($3::text is null or level = $3) and id > $4 order by id limit $5";
    let last = "select * from (
             select * from functions.logs
              where function = $1 and ($2::uuid is null or execution_id = $2)
                and ($3::text is null or level = $3) and id < $4 order by id desc limit $5
         ) as chosen order by id";
    let sql = if filter.after.is_some() {
        onwards
    } else {
        last
    };
    let rows = sqlx::query(sql)
        .bind(&filter.function)
        .bind(filter.execution)
        .bind(&filter.level)
        .bind(filter.after.unwrap_or(i64::MAX))
        .bind(filter.limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<LogRow, sqlx::Error> {
    Ok(LogRow {
        id: row.try_get("id")?,
        function: row.try_get("function")?,
        version: row.try_get("version")?,
        execution_id: row.try_get("execution_id")?,
        level: row.try_get("level")?,
        message: row.try_get("message")?,
        logged_at: row.try_get("logged_at")?,
    })
}

/// The id of the newest line; 0 where there is none.
pub(crate) async fn newest(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(max(id), 0) from functions.logs")
        .fetch_one(pool)
        .await
}

/// Deletes some of what is older than `days`; answers how many.
pub(crate) async fn delete_old(pool: &PgPool, days: i32) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query(
        "delete from functions.logs where id in (
             select id from functions.logs
              where logged_at < now() - make_interval(days => $1)
              order by logged_at limit $2)",
    )
    .bind(days)
    .bind(BATCH)
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes some of the oldest lines beyond the newest `kept`; ids are close to a count.
pub(crate) async fn delete_beyond(pool: &PgPool, kept: i64) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query(
        "delete from functions.logs where id in (
             select id from functions.logs
              where id <= (select max(id) from functions.logs) - $1 order by id limit $2)",
    )
    .bind(kept)
    .bind(BATCH)
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected())
}
