//! Which bytes are still referred to. All of it is for the owner's connections: no row-level
//! security, no caller.

use std::collections::HashSet;

use pg::sqlx::postgres::PgPool;
use pg::sqlx::{self, PgConnection};
use uuid::Uuid;

use crate::domain::object::Version;

/// The identity of this database's storage.
pub async fn installation(pool: &PgPool) -> Result<Uuid, sqlx::Error> {
    sqlx::query_scalar("select id from storage.installation")
        .fetch_one(pool)
        .await
}

/// At most `limit` versions that nothing refers to any more, locked until the transaction ends and
/// invisible to other sweepers.
pub async fn lock_discarded(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select version from storage.discarded_versions
         order by discarded_at limit $1 for update skip locked",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Forgets versions whose bytes are gone.
pub async fn forget(connection: &mut PgConnection, versions: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query("delete from storage.discarded_versions where version = any($1)")
        .bind(versions)
        .execute(connection)
        .await
        .map(drop)
}

/// Those of `versions` that an object refers to.
pub async fn referenced(
    connection: &mut PgConnection,
    versions: &[Version],
) -> Result<HashSet<Version>, sqlx::Error> {
    let names: Vec<String> = versions.iter().map(Version::to_string).collect();
    let found: Vec<String> =
        sqlx::query_scalar("select version from storage.objects where version = any($1)")
            .bind(names)
            .fetch_all(connection)
            .await?;
    Ok(found.iter().filter_map(|name| name.parse().ok()).collect())
}
