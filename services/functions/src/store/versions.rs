//! Versions of functions and their files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pg::sqlx::postgres::PgPool;
use pg::sqlx::{self, PgConnection, Row as _};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::code::Code;

/// A version, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct VersionRow {
    pub(crate) version: i32,
    hash: String,
    entry: String,
    origin: String,
    created_by: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    is_current: bool,
    file_count: i64,
    total_size: i64,
}

/// A version to be.
#[derive(Debug)]
pub(crate) struct NewVersion<'a> {
    pub(crate) function: Uuid,
    pub(crate) code: &'a Code,
    pub(crate) origin: &'static str,
    pub(crate) created_by: Option<&'a str>,
}

/// Makes the next version, or finds the newest one where that is the same; answers its number.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    version: &NewVersion<'_>,
) -> Result<i32, sqlx::Error> {
    let hash = version.code.hash();
    let entry = version.code.entry.to_string_lossy();
    let import_map = version.code.import_map.as_deref();
    let import_map = import_map.map(Path::to_string_lossy);
    let newest: Option<(i32, String, String)> = sqlx::query_as(
        "select number, hash, entry from functions.versions where function_id = $1
          order by number desc limit 1",
    )
    .bind(version.function)
    .fetch_optional(&mut *connection)
    .await?;
    let number = match newest {
        Some((number, same, at)) if same == hash.as_str() && at == entry => return Ok(number),
        Some((number, ..)) => number + 1,
        None => 1,
    };
    sqlx::query(
        "insert into functions.versions
             (function_id, number, hash, entry, origin, created_by, import_map)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(version.function)
    .bind(number)
    .bind(hash.as_str())
    .bind(&*entry)
    .bind(version.origin)
    .bind(version.created_by)
    .bind(import_map.as_deref())
    .execute(&mut *connection)
    .await?;
    let (paths, contents): (Vec<String>, Vec<&[u8]>) = version
        .code
        .files
        .iter()
        .map(|(path, content)| (path.to_string_lossy().into_owned(), &**content))
        .unzip();
    sqlx::query(
        "insert into functions.files (function_id, number, path, content)
         select $1, $2, * from unnest($3::text[], $4::bytea[])",
    )
    .bind(version.function)
    .bind(number)
    .bind(paths)
    .bind(contents)
    .execute(connection)
    .await?;
    Ok(number)
}

/// Newest first.
pub(crate) async fn list(pool: &PgPool, function: Uuid) -> Result<Vec<VersionRow>, sqlx::Error> {
    let rows = sqlx::query(
        "select v.*, v.number = f.version as is_current, s.file_count, s.total_size
           from functions.versions v
           join functions.functions f on f.id = v.function_id,
                lateral (select count(*) as file_count,
                                coalesce(sum(length(content)), 0)::bigint as total_size
                           from functions.files
                          where function_id = v.function_id and number = v.number) s
          where v.function_id = $1 order by v.number desc",
    )
    .bind(function)
    .fetch_all(pool)
    .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        Ok(VersionRow {
            version: row.try_get("number")?,
            hash: row.try_get("hash")?,
            entry: row.try_get("entry")?,
            origin: row.try_get("origin")?,
            created_by: row.try_get("created_by")?,
            created_at: row.try_get("created_at")?,
            is_current: row.try_get("is_current")?,
            file_count: row.try_get("file_count")?,
            total_size: row.try_get("total_size")?,
        })
    };
    rows.iter().map(read).collect()
}

/// The code of one version.
pub(crate) async fn code(
    pool: &PgPool,
    function: Uuid,
    number: i32,
) -> Result<Option<Code>, sqlx::Error> {
    let named: Option<(String, Option<String>)> = sqlx::query_as(
        "select entry, import_map from functions.versions where function_id = $1 and number = $2",
    )
    .bind(function)
    .bind(number)
    .fetch_optional(pool)
    .await?;
    let Some((entry, import_map)) = named else {
        return Ok(None);
    };
    let files: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "select path, content from functions.files where function_id = $1 and number = $2",
    )
    .bind(function)
    .bind(number)
    .fetch_all(pool)
    .await?;
    let files: BTreeMap<_, _> = files
        .into_iter()
        .map(|(path, content)| (PathBuf::from(path), Bytes::from(content)))
        .collect();
    Ok(Some(Code {
        entry: entry.into(),
        import_map: import_map.map(PathBuf::from),
        files,
    }))
}
