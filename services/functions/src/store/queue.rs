//! Calls that are due, and those that were given up.

use std::time::Duration;

use pg::sqlx;
use pg::sqlx::postgres::{PgPool, PgRow};
use pg::sqlx::{PgConnection, Row as _};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// A call to be.
#[derive(Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) function: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) source: &'a str,
    pub(crate) payload: Value,
}

/// A call that this node has taken.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) function: String,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) payload: Value,
    pub(crate) attempts: i32,
}

/// A call that was given up, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct DeadLetter {
    id: Uuid,
    function: String,
    r#type: String,
    source: String,
    payload: Value,
    attempts: i32,
    last_error: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    dead_at: OffsetDateTime,
}

/// Puts a call into the queue; answers its id.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    event: &NewEvent<'_>,
) -> Result<Uuid, sqlx::Error> {
    sqlx::query_scalar(
        "insert into functions.events (function_id, kind, source, payload)
         values ($1, $2, $3, $4) returning id",
    )
    .bind(event.function)
    .bind(event.kind)
    .bind(event.source)
    .bind(&event.payload)
    .fetch_one(connection)
    .await
}

/// Takes at most `limit` calls that are due, for `lease` and for so long; a node that was killed
/// with them loses them then.
pub(crate) async fn take(
    pool: &PgPool,
    lease: Uuid,
    limit: i64,
    (time, most_attempts): (Duration, i32),
) -> Result<Vec<Event>, sqlx::Error> {
    let rows = sqlx::query(
        "with due as (
             select e.id from functions.events e
               join functions.functions f on f.id = e.function_id and f.is_active
              where e.dead_at is null and e.due_at <= now()
                and (e.leased_until is null or e.leased_until < now()) and e.attempts < $4
              order by e.due_at limit $2 for update of e skip locked
         )
         update functions.events e
            set lease = $1, leased_until = now() + make_interval(secs => $3),
                attempts = e.attempts + 1
           from due, functions.functions f
          where e.id = due.id and f.id = e.function_id
         returning e.id, f.name, e.kind, e.source, e.payload, e.attempts",
    )
    .bind(lease)
    .bind(limit)
    .bind(time.as_secs_f64())
    .bind(most_attempts)
    .fetch_all(pool)
    .await?;
    let read = |row: &PgRow| {
        Ok(Event {
            id: row.try_get("id")?,
            function: row.try_get("name")?,
            kind: row.try_get("kind")?,
            source: row.try_get("source")?,
            payload: row.try_get("payload")?,
            attempts: row.try_get("attempts")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Gives up what was tried often enough and never reported on: its nodes were killed.
pub(crate) async fn bury_abandoned(pool: &PgPool, most_attempts: i32) -> Result<u64, sqlx::Error> {
    let buried = sqlx::query(
        "update functions.events
            set dead_at = now(), lease = null, leased_until = null,
                last_error = coalesce(last_error, 'the process that ran it ended every time')
          where dead_at is null and attempts >= $1
            and (leased_until is null or leased_until < now())",
    )
    .bind(most_attempts)
    .execute(pool)
    .await?;
    Ok(buried.rows_affected())
}

/// Keeps what `lease` holds for another `time`.
pub(crate) async fn renew(pool: &PgPool, lease: Uuid, time: Duration) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update functions.events set leased_until = now() + make_interval(secs => $2)
          where lease = $1 and dead_at is null",
    )
    .bind(lease)
    .bind(time.as_secs_f64())
    .execute(pool)
    .await
    .map(drop)
}

/// The function has answered it well.
pub(crate) async fn complete(pool: &PgPool, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from functions.events where id = $1 and dead_at is null")
        .bind(id)
        .execute(pool)
        .await
        .map(drop)
}

/// The function has not: it is tried again after `pause`, or given up where that is `None`.
pub(crate) async fn fail(
    pool: &PgPool,
    id: Uuid,
    error: &str,
    pause: Option<Duration>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update functions.events
            set lease = null, leased_until = null, last_error = $2,
                due_at = now() + make_interval(secs => coalesce($3, 0)),
                dead_at = case when $3 is null then now() end
          where id = $1 and dead_at is null",
    )
    .bind(id)
    .bind(error.replace('\0', "\u{fffd}"))
    .bind(pause.map(|pause| pause.as_secs_f64()))
    .execute(pool)
    .await
    .map(drop)
}

/// Calls that were given up, of one function or all; the newest first.
pub(crate) async fn list_dead(
    pool: &PgPool,
    function: Option<Uuid>,
    limit: i64,
) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let rows = sqlx::query(
        "select e.*, f.name from functions.events e
           join functions.functions f on f.id = e.function_id
          where e.dead_at is not null and ($1::uuid is null or e.function_id = $1)
          order by e.dead_at desc limit $2",
    )
    .bind(function)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let read = |row: &PgRow| {
        Ok(DeadLetter {
            id: row.try_get("id")?,
            function: row.try_get("name")?,
            r#type: row.try_get("kind")?,
            source: row.try_get("source")?,
            payload: row.try_get("payload")?,
            attempts: row.try_get("attempts")?,
            last_error: row.try_get("last_error")?,
            created_at: row.try_get("created_at")?,
            dead_at: row.try_get("dead_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Has calls that were given up be tried again, all of a function's or one; answers how many.
pub(crate) async fn revive(
    pool: &PgPool,
    function: Uuid,
    id: Option<Uuid>,
) -> Result<u64, sqlx::Error> {
    let revived = sqlx::query(
        "update functions.events set dead_at = null, attempts = 0, due_at = now()
          where dead_at is not null and function_id = $1 and ($2::uuid is null or id = $2)",
    )
    .bind(function)
    .bind(id)
    .execute(pool)
    .await?;
    Ok(revived.rows_affected())
}

/// Forgets a call that was given up; says whether there was one.
pub(crate) async fn delete_dead(
    pool: &PgPool,
    function: Uuid,
    id: Uuid,
) -> Result<bool, sqlx::Error> {
    let deleted = sqlx::query(
        "delete from functions.events
          where dead_at is not null and function_id = $1 and id = $2",
    )
    .bind(function)
    .bind(id)
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected() > 0)
}
