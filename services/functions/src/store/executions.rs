//! Invocations that have ended.

use std::time::Duration;

use pg::sqlx::postgres::{PgPool, PgRow};
use pg::sqlx::{self, PgConnection, Row as _};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::copy::Rows;
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

/// Writes down `executions`. Those that are there already, from a try whose end was not heard of,
/// are all there, since a batch is one transaction.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    executions: &[Execution],
) -> Result<(), sqlx::Error> {
    const COLUMNS: i16 = 15;
    let mut rows = Rows::new(COLUMNS, executions.len());
    for one in executions {
        rows.begin();
        rows.uuid(Some(one.id));
        rows.text(Some(one.function.as_str()));
        rows.text(Some(one.version.as_str()));
        rows.text(Some(one.cause.trigger.as_str()));
        rows.uuid(one.cause.event);
        rows.text(one.cause.source.as_deref());
        rows.text(Some(one.method.as_str()));
        rows.integer(one.status.map(i32::from));
        rows.text(Some(one.outcome.as_str()));
        rows.text(one.error.as_deref());
        rows.boolean(one.cold);
        rows.moment(one.started_at);
        rows.double(Some(millis(one.duration)));
        rows.double(one.usage.cpu.map(millis));
        let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
        rows.bigint(one.usage.memory_bytes.map(bytes));
    }
    let statement = "copy functions.executions
         (id, function, version, trigger, event_id, source, method, status, outcome, error, cold,
          started_at, duration_ms, cpu_ms, memory_bytes)
         from stdin (format binary)";
    rows.send(connection, statement).await
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
            and ($7::timestamptz is null or started_at between $7 and $7 + interval '1 millisecond')
          order by started_at desc, id desc limit $5 offset $6",
    )
    .bind(&filter.function)
    .bind(filter.id)
    .bind(&filter.trigger)
    .bind(&filter.source)
    .bind(filter.limit)
    .bind(filter.skip)
    .bind(filter.id.and_then(moment))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// When the invocation `id` started, to the millisecond, where the id tells it: older ones do not.
fn moment(id: Uuid) -> Option<OffsetDateTime> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let seconds = i64::try_from(seconds).ok()?;
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    moment.replace_nanosecond(nanos).ok()
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
        "delete from functions.executions where ctid = any(array(
             select ctid from functions.executions
              where started_at < now() - make_interval(days => $1) limit $2))",
    )
    .bind(days)
    .bind(BATCH)
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected())
}
