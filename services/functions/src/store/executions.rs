//! Invocations that have ended.

use std::time::Duration;

use pg::sqlx::postgres::{PgPool, PgRow};
use pg::sqlx::{self, PgConnection, Row as _};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::execution::Execution;

/// Rows deleted at a time.
const BATCH: i64 = 10_000;

/// An invocation, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct ExecutionRow {
    id: Uuid,
    function: String,
    version: String,
    trigger: String,
    event_id: Option<Uuid>,
    source: Option<String>,
    method: String,
    status: Option<i32>,
    outcome: String,
    error: Option<String>,
    cold: bool,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    duration_ms: f64,
    cpu_ms: Option<f64>,
    memory_bytes: Option<i64>,
}

/// Which invocations are asked for.
#[derive(Debug, Default)]
pub(crate) struct ExecutionFilter {
    pub(crate) function: Option<String>,
    pub(crate) id: Option<Uuid>,
    pub(crate) trigger: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

/// What a function's invocations come to.
#[derive(Debug, Serialize)]
pub(crate) struct Totals {
    invocations: i64,
    errors: i64,
    cold_starts: i64,
    average_duration_ms: Option<f64>,
    p95_duration_ms: Option<f64>,
    cpu_ms: Option<f64>,
    peak_memory_bytes: Option<i64>,
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    executions: &[Execution],
) -> Result<(), sqlx::Error> {
    fn each<'a, T>(all: &'a [Execution], get: impl Fn(&'a Execution) -> T) -> Vec<T> {
        all.iter().map(get).collect()
    }
    let all = executions;
    sqlx::query(
        "insert into functions.executions
         (id, function, version, trigger, event_id, source, method, status, outcome, error, cold,
          started_at, duration_ms, cpu_ms, memory_bytes)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[],
             $6::text[], $7::text[], $8::int[], $9::text[], $10::text[], $11::bool[],
             $12::timestamptz[], $13::float8[], $14::float8[], $15::bigint[])
         on conflict (id) do nothing",
    )
    .bind(each(all, |one| one.id))
    .bind(each(all, |one| one.function.as_str()))
    .bind(each(all, |one| one.version.as_str()))
    .bind(each(all, |one| one.cause.trigger.as_str()))
    .bind(each(all, |one| one.cause.event))
    .bind(each(all, |one| one.cause.source.as_deref()))
    .bind(each(all, |one| one.method.as_str()))
    .bind(each(all, |one| one.status.map(i32::from)))
    .bind(each(all, |one| one.outcome.as_str()))
    .bind(each(all, |one| one.error.as_deref()))
    .bind(each(all, |one| one.cold))
    .bind(each(all, |one| one.started_at))
    .bind(each(all, |one| millis(one.duration)))
    .bind(each(all, |one| one.usage.cpu.map(millis)))
    .bind(each(all, |one| {
        one.usage
            .memory_bytes
            .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
    }))
    .execute(connection)
    .await
    .map(drop)
}

/// Newest first.
pub(crate) async fn list(
    pool: &PgPool,
    filter: &ExecutionFilter,
) -> Result<Vec<ExecutionRow>, sqlx::Error> {
    let rows = sqlx::query(
        "select * from functions.executions
          where ($1::text is null or function = $1) and ($2::uuid is null or id = $2)
            and ($3::text is null or trigger = $3) and ($4::text is null or source = $4)
          order by started_at desc, id limit $5 offset $6",
    )
    .bind(&filter.function)
    .bind(filter.id)
    .bind(&filter.trigger)
    .bind(&filter.source)
    .bind(filter.limit)
    .bind(filter.skip)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<ExecutionRow, sqlx::Error> {
    Ok(ExecutionRow {
        id: row.try_get("id")?,
        function: row.try_get("function")?,
        version: row.try_get("version")?,
        trigger: row.try_get("trigger")?,
        event_id: row.try_get("event_id")?,
        source: row.try_get("source")?,
        method: row.try_get("method")?,
        status: row.try_get("status")?,
        outcome: row.try_get("outcome")?,
        error: row.try_get("error")?,
        cold: row.try_get("cold")?,
        started_at: row.try_get("started_at")?,
        duration_ms: row.try_get("duration_ms")?,
        cpu_ms: row.try_get("cpu_ms")?,
        memory_bytes: row.try_get("memory_bytes")?,
    })
}

/// Sums up the invocations of `function` in the last `hours`.
pub(crate) async fn totals(
    pool: &PgPool,
    function: &str,
    hours: i32,
) -> Result<Totals, sqlx::Error> {
    let row = sqlx::query(
        "select count(*) as invocations, count(*) filter (where outcome <> 'answered') as errors,
                count(*) filter (where cold) as cold_starts, avg(duration_ms) as average,
                percentile_cont(0.95) within group (order by duration_ms) as p95,
                sum(cpu_ms) as cpu, max(memory_bytes) as peak
           from functions.executions
          where function = $1 and started_at > now() - make_interval(hours => $2)",
    )
    .bind(function)
    .bind(hours)
    .fetch_one(pool)
    .await?;
    Ok(Totals {
        invocations: row.try_get("invocations")?,
        errors: row.try_get("errors")?,
        cold_starts: row.try_get("cold_starts")?,
        average_duration_ms: row.try_get("average")?,
        p95_duration_ms: row.try_get("p95")?,
        cpu_ms: row.try_get("cpu")?,
        peak_memory_bytes: row.try_get("peak")?,
    })
}

/// Deletes some of what is older than `days`; answers how many.
pub(crate) async fn delete_old(pool: &PgPool, days: i32) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query(
        "delete from functions.executions where id in (
             select id from functions.executions
              where started_at < now() - make_interval(days => $1)
              order by started_at limit $2)",
    )
    .bind(days)
    .bind(BATCH)
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected())
}
