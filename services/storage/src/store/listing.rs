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
