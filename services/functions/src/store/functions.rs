//! Functions as they are deployed.

use pg::sqlx::postgres::{PgPool, PgRow};
use pg::sqlx::{self, PgConnection, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;

/// A function and the version that serves.
#[derive(Debug, Clone)]
pub(crate) struct FunctionRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_active: bool,
    pub(crate) verify_jwt: Option<bool>,
    pub(crate) folder_hash: Option<String>,
    pub(crate) version: i32,
    pub(crate) hash: String,
    pub(crate) entry: String,
    pub(crate) origin: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

/// What is to be changed; `None` leaves it.
#[derive(Debug, Default)]
pub(crate) struct FunctionChange {
    pub(crate) description: Option<String>,
    pub(crate) is_active: Option<bool>,
    pub(crate) verify_jwt: Option<bool>,
}

const SELECT: &str = "select f.*, v.hash, v.entry, v.origin
     from functions.functions f
     join functions.versions v on v.function_id = f.id and v.number = f.version";

fn read(row: &PgRow) -> Result<FunctionRow, sqlx::Error> {
    Ok(FunctionRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        is_active: row.try_get("is_active")?,
        verify_jwt: row.try_get("verify_jwt")?,
        folder_hash: row.try_get("folder_hash")?,
        version: row.try_get("version")?,
        hash: row.try_get("hash")?,
        entry: row.try_get("entry")?,
        origin: row.try_get("origin")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// Grows with every change of functions.
pub(crate) async fn revision(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select number from functions.revision")
        .fetch_one(pool)
        .await
}

pub(crate) async fn list(pool: &PgPool) -> Result<Vec<FunctionRow>, sqlx::Error> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} order by f.name"));
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    rows.iter().map(read).collect()
}

/// The function whose name or id is `text`.
pub(crate) async fn find(pool: &PgPool, text: &str) -> Result<Option<FunctionRow>, sqlx::Error> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} where f.name = $1 or f.id::text = $1"));
    let row = sqlx::query(sql).bind(text).fetch_optional(pool).await?;
    row.as_ref().map(read).transpose()
}

/// The id and folder hash of `name`, locked until the transaction ends: who deploys, waits for
/// whoever else does.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<(Uuid, Option<String>)>, sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('functions.deploy.' || $1, 0))")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    sqlx::query_as("select id, folder_hash from functions.functions where name = $1 for update")
        .bind(name)
        .fetch_optional(connection)
        .await
}

/// The id of `name`, and the number and hash of the version that serves.
pub(crate) async fn current(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<(Uuid, i32, String)>, sqlx::Error> {
    sqlx::query_as(
        "select f.id, v.number, v.hash from functions.functions f
           join functions.versions v on v.function_id = f.id and v.number = f.version
          where f.name = $1",
    )
    .bind(name)
    .fetch_optional(connection)
    .await
}

/// A new function; its first version has to be inserted in the same transaction.
pub(crate) async fn insert(connection: &mut PgConnection, name: &str) -> Result<Uuid, sqlx::Error> {
    sqlx::query_scalar(
        "insert into functions.functions (name, version) values ($1, 1) returning id",
    )
    .bind(name)
    .fetch_one(connection)
    .await
}

/// Has `version` serve.
pub(crate) async fn set_version(
    connection: &mut PgConnection,
    id: Uuid,
    version: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query("update functions.functions set version = $2, updated_at = now() where id = $1")
        .bind(id)
        .bind(version)
        .execute(connection)
        .await
        .map(drop)
}

/// Notes what the folder holds of it, `None` where it does not any more.
pub(crate) async fn set_folder_hash(
    connection: &mut PgConnection,
    id: Uuid,
    hash: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query("update functions.functions set folder_hash = $2 where id = $1")
        .bind(id)
        .bind(hash)
        .execute(connection)
        .await
        .map(drop)
}

/// Takes over what the function's module says it is for.
pub(crate) async fn describe(
    connection: &mut PgConnection,
    id: Uuid,
    description: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update functions.functions set description = $2 where id = $1 and description <> $2",
    )
    .bind(id)
    .bind(description.replace('\0', "\u{fffd}"))
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn update(
    connection: &mut PgConnection,
    id: Uuid,
    change: &FunctionChange,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update functions.functions
            set description = coalesce($2, description), is_active = coalesce($3, is_active),
                verify_jwt = coalesce($4, verify_jwt), updated_at = now()
          where id = $1",
    )
    .bind(id)
    .bind(&change.description)
    .bind(change.is_active)
    .bind(change.verify_jwt)
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn delete(connection: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from functions.functions where id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(drop)
}
