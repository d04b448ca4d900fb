//! Pages of objects.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::types::Json;
use pg::sqlx::{self, FromRow, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;

use super::objects::ObjectRow;
use crate::domain::key::BucketId;
use crate::domain::object::{Object, ObjectId};

/// Which entries of a folder to list, in which order.
#[derive(Debug, Clone)]
pub struct FolderListing {
    /// Empty, or the folder with its trailing slash.
    pub prefix: String,
    /// What entries begin with, whatever the case.
    pub search: String,
    /// At most so many.
    pub limit: i32,
    /// After so many.
    pub offset: i32,
    /// `updated_at`, `created_at`, `last_accessed_at`; anything else is `name`.
    pub sort_column: String,
    /// Whether the last comes first.
    pub descending: bool,
}

/// An entry of a folder.
#[derive(Debug)]
pub struct Entry {
    /// Its name in the folder.
    pub name: String,
    /// What it is, unless it is a folder.
    pub file: Option<FileEntry>,
}

/// What is listed of a file.
#[derive(Debug)]
pub struct FileEntry {
    /// Its id.
    pub id: ObjectId,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was made, again.
    pub last_accessed_at: OffsetDateTime,
    /// The column `metadata`.
    pub metadata: Option<Value>,
}

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let file = match row.try_get("id")? {
            None => None,
            Some(id) => {
                let metadata: Option<Json<Value>> = row.try_get("metadata")?;
                Some(FileEntry {
                    id: ObjectId(id),
                    updated_at: row.try_get("updated_at")?,
                    created_at: row.try_get("created_at")?,
                    last_accessed_at: row.try_get("last_accessed_at")?,
                    metadata: metadata.map(|Json(value)| value),
                })
            }
        };
        Ok(Self {
            name: row.try_get("name")?,
            file,
        })
    }
}

/// One page of a folder's entries.
pub async fn folder(
    connection: &mut PgConnection,
    bucket: &BucketId,
    listing: &FolderListing,
) -> Result<Vec<Entry>, sqlx::Error> {
    let order = if listing.descending { "desc" } else { "asc" };
    sqlx::query_as(
        "select * from storage.search(
             prefix => $1, bucketname => $2, limits => $3, offsets => $4, search => $5,
             sortcolumn => $6, sortorder => $7)",
    )
    .bind(&listing.prefix)
    .bind(bucket.as_str())
    .bind(listing.limit)
    .bind(listing.offset)
    .bind(&listing.search)
    .bind(&listing.sort_column)
    .bind(order)
    .fetch_all(connection)
    .await
}

/// Which entries under a prefix to list, by name.
#[derive(Debug, Clone, Default)]
pub struct PrefixListing {
    /// What names begin with.
    pub prefix: String,
    /// Names that agree up to its next place count as one entry; empty for none.
    pub delimiter: String,
    /// After this name; see [`past`] for a run of names.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i32,
    /// Whether the last comes first.
    pub descending: bool,
}

/// What to list after, so that a whole run of names is passed.
pub fn past(run: &str) -> String {
    format!("{run}{}", char::MAX)
}

/// One page of what is under a prefix.
pub async fn under_prefix(
    connection: &mut PgConnection,
    bucket: &BucketId,
    listing: &PrefixListing,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as("select * from storage.list_entries($1, $2, $3, $4, $5, $6)")
        .bind(bucket.as_str())
        .bind(&listing.prefix)
        .bind(&listing.delimiter)
        .bind(&listing.after)
        .bind(listing.limit)
        .bind(listing.descending)
        .fetch_all(connection)
        .await
}

/// Which entries under a prefix to list, by time; folders come first, by name.
#[derive(Debug, Clone, Default)]
pub struct TimeListing {
    /// What names begin with.
    pub prefix: String,
    /// Whether names that agree up to the next slash count as one folder.
    pub folders: bool,
    /// Whether by `updated_at` instead of `created_at`.
    pub by_update: bool,
    /// The folder (without a time) or object after which to list.
    pub after: Option<(Option<OffsetDateTime>, String)>,
    /// At most so many.
    pub limit: i32,
    /// Whether the latest comes first.
    pub descending: bool,
}

/// One page of what is under a prefix, by time.
pub async fn by_time(
    connection: &mut PgConnection,
    bucket: &BucketId,
    listing: &TimeListing,
) -> Result<Vec<Entry>, sqlx::Error> {
    let (after_time, after_name) = match &listing.after {
        Some((time, name)) => (*time, Some(name)),
        None => (None, None),
    };
    sqlx::query_as(
        "with found as (
             select o.*, strpos(substr(o.name, length($2) + 1), '/') as slash,
                    case when $4 then o.updated_at else o.created_at end as at
             from storage.objects o
             where o.bucket_id = $1 and o.name >= $2 and o.name < $2 || chr(1114111)
         ), entries as (
             select distinct left(name, length($2) + slash) collate \"C\" as name, null::uuid as id,
                    null::timestamptz as updated_at, null::timestamptz as created_at,
                    null::timestamptz as last_accessed_at, null::jsonb as metadata,
                    0 as kind, null::timestamptz as at
             from found where $3 and slash > 0
             union all
             select name, id, updated_at, created_at, last_accessed_at, metadata, 1, at
             from found where not ($3 and slash > 0)
         )
         select name, id, updated_at, created_at, last_accessed_at, metadata
         from entries
         where $6::text is null
            or ($5::timestamptz is null and (kind = 1 or name > $6))
            or ($5 is not null and kind = 1 and
                case when $7 then (at, name) < ($5, $6) else (at, name) > ($5, $6) end)
         order by kind, case when not $7 then at end, case when $7 then at end desc,
                  case when kind = 0 or not $7 then name end,
                  case when kind = 1 and $7 then name end desc
         limit $8",
    )
    .bind(bucket.as_str())
    .bind(&listing.prefix)
    .bind(listing.folders)
    .bind(listing.by_update)
    .bind(after_time)
    .bind(after_name)
    .bind(listing.descending)
    .bind(listing.limit)
    .fetch_all(connection)
    .await
}

/// Which files to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct FileListing<'a> {
    /// Those of one bucket.
    pub bucket: Option<&'a str>,
    /// Those of one owner.
    pub owner_id: Option<&'a str>,
    /// At most so many.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

/// One page of files.
pub async fn files(
    connection: &mut PgConnection,
    listing: &FileListing<'_>,
) -> Result<Vec<Object>, sqlx::Error> {
    let rows: Vec<ObjectRow> = sqlx::query_as(
        "select * from storage.objects
         where ($1 is null or bucket_id = $1) and ($2 is null or owner_id = $2)
         order by created_at desc, id
         limit $3 offset $4",
    )
    .bind(listing.bucket)
    .bind(listing.owner_id)
    .bind(listing.limit)
    .bind(listing.offset)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|ObjectRow(object)| object).collect())
}
