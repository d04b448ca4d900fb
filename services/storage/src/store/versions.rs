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
    limit: usize,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select version from storage.discarded_versions
         order by discarded_at limit $1 for update skip locked",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
}

/// Lets go of what was rendered from `versions`.
pub async fn delete_renditions_of(
    connection: &mut PgConnection,
    versions: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from storage.renditions where source_version = any($1)")
        .bind(versions)
        .execute(connection)
        .await
        .map(drop)
}

/// Forgets versions whose bytes are gone.
pub async fn forget(connection: &mut PgConnection, versions: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query("delete from storage.discarded_versions where version = any($1)")
        .bind(versions)
        .execute(connection)
        .await
        .map(drop)
}

/// Those of `versions` that an object, a pending upload or a rendition refers to.
pub async fn referenced(
    connection: &mut PgConnection,
    versions: &[Version],
) -> Result<HashSet<Version>, sqlx::Error> {
    let names: Vec<String> = versions.iter().map(Version::to_string).collect();
    let found: Vec<String> =
        sqlx::query_scalar("select version from storage.kept_versions where version = any($1)")
            .bind(names)
            .fetch_all(connection)
            .await?;
    Ok(found.iter().filter_map(|name| name.parse().ok()).collect())
}

/// A version that something refers to.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Names its bytes.
    pub version: Version,
    /// Their SHA-256, where it is known.
    pub sha256: Option<[u8; 32]>,
    /// How many there are, where it is known.
    pub size: Option<u64>,
}

/// The versions after `after`, by name, at most `limit`; rows that name none are left out.
pub async fn kept(
    connection: &mut PgConnection,
    after: &str,
    limit: i64,
) -> Result<(Vec<Kept>, Option<String>), sqlx::Error> {
    type Row = (String, Option<Vec<u8>>, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(
        "select version, (array_agg(sha256) filter (where sha256 is not null))[1], max(size)
         from storage.kept_versions where version > $1
         group by version order by version limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let last = rows.last().map(|(version, ..)| version.clone());
    let kept = rows.into_iter().filter_map(|(version, sha256, size)| {
        Some(Kept {
            version: version.parse().ok()?,
            sha256: sha256.and_then(|bytes| bytes.try_into().ok()),
            size: size.and_then(|size| u64::try_from(size).ok()),
        })
    });
    Ok((kept.collect(), last))
}

/// How many versions something refers to, and how many bytes they have.
pub async fn totals(connection: &mut PgConnection) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as(
        "select count(distinct version), coalesce(sum(size), 0)::bigint from storage.kept_versions",
    )
    .fetch_one(connection)
    .await
}

/// The bucket and name of the objects whose bytes are `version`.
pub async fn objects_of(
    connection: &mut PgConnection,
    version: Version,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as("select bucket_id, name from storage.objects where version = $1")
        .bind(version.to_string())
        .fetch_all(connection)
        .await
}

/// Who keeps how much where: bucket, owner, objects, bytes; the most first.
pub async fn usage(
    connection: &mut PgConnection,
) -> Result<Vec<(String, Option<String>, i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select bucket_id, owner_id, objects, bytes from storage.usage
         order by bytes desc, bucket_id, owner_id",
    )
    .fetch_all(connection)
    .await
}
