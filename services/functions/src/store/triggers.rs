//! When functions are to be called.

use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use pg::sqlx::{PgConnection, Row as _};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::trigger::{Schedule, Trigger};

/// A trigger, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct TriggerRow {
    r#type: String,
    name: String,
    cron: Option<String>,
    timezone: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    next_at: Option<OffsetDateTime>,
    schema: Option<String>,
    table: Option<String>,
    operations: Option<Vec<String>>,
    filter: Option<Value>,
    event: Option<String>,
}

/// A schedule whose time has come.
#[derive(Debug)]
pub(crate) struct DueSchedule {
    pub(crate) id: Uuid,
    pub(crate) function: Uuid,
    pub(crate) name: String,
    pub(crate) cron: String,
    pub(crate) timezone: String,
    pub(crate) due_at: OffsetDateTime,
    /// The database's clock, which is the same for every node.
    pub(crate) now: OffsetDateTime,
}

/// Has `function` be called by exactly `wanted`. A schedule that is the same keeps its next time.
pub(crate) async fn replace(
    connection: &mut PgConnection,
    function: Uuid,
    wanted: &[Trigger],
) -> Result<(), sqlx::Error> {
    let now: OffsetDateTime = sqlx::query_scalar("select now()")
        .fetch_one(&mut *connection)
        .await?;
    let keys: Vec<String> = wanted.iter().filter_map(key).collect();
    sqlx::query(
        "delete from functions.triggers
          where function_id = $1 and not (kind || ' ' || name = any ($2))",
    )
    .bind(function)
    .bind(keys)
    .execute(&mut *connection)
    .await?;
    for trigger in wanted {
        put(connection, function, trigger, now).await?;
    }
    Ok(())
}

/// Has nothing call `function`, where the version that serves came from the folder.
pub(crate) async fn delete_of_folder(
    connection: &mut PgConnection,
    function: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from functions.triggers t using functions.functions f, functions.versions v
          where t.function_id = $1 and f.id = t.function_id and v.function_id = f.id
            and v.number = f.version and v.origin = 'folder'",
    )
    .bind(function)
    .execute(connection)
    .await
    .map(drop)
}

/// What tells triggers of one function apart; `None` for those that are not stored.
fn key(trigger: &Trigger) -> Option<String> {
    Some(match trigger {
        Trigger::Http { .. } => return None,
        Trigger::Schedule { name, .. } => format!("schedule {name}"),
        Trigger::Database { .. } => format!("database {}", name_of(trigger)),
        Trigger::Event(event) => format!("event {event}"),
        Trigger::Webhook => "webhook webhook".to_owned(),
        Trigger::Once => "once once".to_owned(),
    })
}

fn name_of(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Http { .. } => String::new(),
        Trigger::Schedule { name, .. } => name.clone(),
        Trigger::Database {
            schema,
            table,
            operations,
            filter,
        } => {
            let filter = json!(filter);
            format!("{schema}.{table} {} {filter}", operations.join(","))
        }
        Trigger::Event(event) => event.clone(),
        Trigger::Webhook => "webhook".to_owned(),
        Trigger::Once => "once".to_owned(),
    }
}

async fn put(
    connection: &mut PgConnection,
    function: Uuid,
    trigger: &Trigger,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let name = name_of(trigger);
    match trigger {
        Trigger::Http { .. } => Ok(()),
        Trigger::Schedule { schedule, .. } => {
            put_schedule(connection, function, (&name, schedule), now).await
        }
        Trigger::Database {
            schema,
            table,
            operations,
            filter,
        } => sqlx::query(
            "insert into functions.triggers
             (function_id, kind, name, relation_schema, relation_name, operations, filter)
             values ($1, 'database', $2, $3, $4, $5, $6)
             on conflict (function_id, kind, name) do nothing",
        )
        .bind(function)
        .bind(name)
        .bind(schema)
        .bind(table)
        .bind(operations)
        .bind((!filter.is_empty()).then(|| json!(filter)))
        .execute(connection)
        .await
        .map(drop),
        Trigger::Event(_) | Trigger::Webhook | Trigger::Once => {
            let (kind, event) = match trigger {
                Trigger::Event(event) => ("event", Some(event)),
                Trigger::Webhook => ("webhook", None),
                Trigger::Http { .. }
                | Trigger::Schedule { .. }
                | Trigger::Database { .. }
                | Trigger::Once => ("once", None),
            };
            sqlx::query(
                "insert into functions.triggers (function_id, kind, name, event)
                 values ($1, $2, $3, $4) on conflict (function_id, kind, name) do nothing",
            )
            .bind(function)
            .bind(kind)
            .bind(name)
            .bind(event)
            .execute(connection)
            .await
            .map(drop)
        }
    }
}

async fn put_schedule(
    connection: &mut PgConnection,
    function: Uuid,
    (name, schedule): (&str, &Schedule),
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let Some(next) = schedule.next_after(now) else {
        return Ok(());
    };
    sqlx::query(
        "insert into functions.triggers (function_id, kind, name, cron, timezone, next_at)
         values ($1, 'schedule', $2, $3, $4, $5)
         on conflict (function_id, kind, name) do update
            set cron = excluded.cron, timezone = excluded.timezone, next_at = excluded.next_at
          where (triggers.cron, triggers.timezone) <> (excluded.cron, excluded.timezone)",
    )
    .bind(function)
    .bind(name)
    .bind(&schedule.cron)
    .bind(&schedule.timezone)
    .bind(next)
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn list(pool: &PgPool, function: Uuid) -> Result<Vec<TriggerRow>, sqlx::Error> {
    let rows =
        sqlx::query("select * from functions.triggers where function_id = $1 order by kind, name")
            .bind(function)
            .fetch_all(pool)
            .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        Ok(TriggerRow {
            r#type: row.try_get("kind")?,
            name: row.try_get("name")?,
            cron: row.try_get("cron")?,
            timezone: row.try_get("timezone")?,
            next_at: row.try_get("next_at")?,
            schema: row.try_get("relation_schema")?,
            table: row.try_get("relation_name")?,
            operations: row.try_get("operations")?,
            filter: row.try_get("filter")?,
            event: row.try_get("event")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Schedules whose time has come, locked until the transaction ends; no other node sees them.
pub(crate) async fn lock_due(
    connection: &mut PgConnection,
) -> Result<Vec<DueSchedule>, sqlx::Error> {
    let rows = sqlx::query(
        "select t.id, t.function_id, t.name, t.cron, t.timezone, t.next_at, now() as now
           from functions.triggers t
           join functions.functions f on f.id = t.function_id and f.is_active
          where t.kind = 'schedule' and t.next_at <= now()
          order by t.next_at limit 100 for update of t skip locked",
    )
    .fetch_all(connection)
    .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        Ok(DueSchedule {
            id: row.try_get("id")?,
            function: row.try_get("function_id")?,
            name: row.try_get("name")?,
            cron: row.try_get("cron")?,
            timezone: row.try_get("timezone")?,
            due_at: row.try_get("next_at")?,
            now: row.try_get("now")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Moves a schedule on; one without a next time goes.
pub(crate) async fn move_on(
    connection: &mut PgConnection,
    id: Uuid,
    next: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    let sql = match next {
        Some(_) => "update functions.triggers set next_at = $2 where id = $1",
        None => "delete from functions.triggers where id = $1 and $2::timestamptz is null",
    };
    sqlx::query(sql)
        .bind(id)
        .bind(next)
        .execute(connection)
        .await
        .map(drop)
}

/// Whether this call is the first to say that `version` had its one run.
pub(crate) async fn mark_ran_once(
    connection: &mut PgConnection,
    function: Uuid,
    version: i32,
) -> Result<bool, sqlx::Error> {
    let marked = sqlx::query(
        "insert into functions.ran_once (function_id, version) values ($1, $2)
         on conflict do nothing",
    )
    .bind(function)
    .bind(version)
    .execute(connection)
    .await?;
    Ok(marked.rows_affected() > 0)
}

/// Has tables that are asked for tell of their changes, and the others not.
pub(crate) async fn reconcile_capture(pool: &PgPool) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("select selfdb.reconcile_change_capture()")
        .fetch_one(pool)
        .await
}
