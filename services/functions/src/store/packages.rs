//! What versions import from registries.

use std::collections::BTreeMap;

use pg::sqlx::postgres::PgPool;
use pg::sqlx::{self, PgConnection};
use uuid::Uuid;

use crate::domain::packages::Parts;

/// The hashes of the parts that the function `name` has with the code `hash` and `entry`; none where
/// nothing is known of them.
pub(crate) async fn find(
    pool: &PgPool,
    name: &str,
    hash: &str,
    entry: &str,
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let found: Vec<(String, String)> = sqlx::query_as(
        "select p.part, p.hash from functions.version_packages p
          where (p.function_id, p.number) = (
                select v.function_id, v.number
                  from functions.functions f
                  join functions.versions v on v.function_id = f.id
                 where f.name = $1 and v.hash = $2 and v.entry = $3
                   and exists (select from functions.version_packages x
                                where x.function_id = v.function_id and x.number = v.number)
                 order by v.number limit 1)",
    )
    .bind(name)
    .bind(hash)
    .bind(entry)
    .fetch_all(pool)
    .await?;
    Ok(found.into_iter().collect())
}

/// The content of one part.
pub(crate) async fn content(pool: &PgPool, hash: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("select content from functions.packages where hash = $1")
        .bind(hash)
        .fetch_optional(pool)
        .await
}

/// Has the version `number` have `parts`, unless it has some.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    (function, number): (Uuid, i32),
    parts: &Parts,
) -> Result<(), sqlx::Error> {
    lock(connection).await?;
    let known: bool = sqlx::query_scalar(
        "select exists (select from functions.version_packages
                         where function_id = $1 and number = $2)",
    )
    .bind(function)
    .bind(number)
    .fetch_one(&mut *connection)
    .await?;
    if known {
        return Ok(());
    }
    let hashes = parts.hashes();
    for (part, hash) in &hashes {
        let there: bool =
            sqlx::query_scalar("select exists (select from functions.packages where hash = $1)")
                .bind(hash)
                .fetch_one(&mut *connection)
                .await?;
        if !there {
            sqlx::query("insert into functions.packages (hash, content) values ($1, $2)")
                .bind(hash)
                .bind(parts.0.get(part))
                .execute(&mut *connection)
                .await?;
        }
        sqlx::query(
            "insert into functions.version_packages (function_id, number, part, hash)
             values ($1, $2, $3, $4)",
        )
        .bind(function)
        .bind(number)
        .bind(part)
        .bind(hash)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The version of the function `name` with the code `hash` and `entry`.
pub(crate) async fn version(
    connection: &mut PgConnection,
    name: &str,
    hash: &str,
    entry: &str,
) -> Result<Option<(Uuid, i32)>, sqlx::Error> {
    sqlx::query_as(
        "select v.function_id, v.number from functions.functions f
           join functions.versions v on v.function_id = f.id
          where f.name = $1 and v.hash = $2 and v.entry = $3
          order by v.number limit 1",
    )
    .bind(name)
    .bind(hash)
    .bind(entry)
    .fetch_optional(connection)
    .await
}

/// Deletes what no version has any more.
pub(crate) async fn sweep(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    lock(connection).await?;
    sqlx::query(
        "delete from functions.packages p
          where not exists (select from functions.version_packages v where v.hash = p.hash)",
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Until the transaction ends nobody else adds or deletes.
async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('functions.packages', 0))")
        .execute(connection)
        .await
        .map(drop)
}
