//! `storage.buckets`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, FromRow, PgConnection, Row as _};
use uuid::Uuid;

use crate::domain::bucket::{Bucket, BucketChange, NewBucket, Rule};
use crate::domain::key::{BucketId, ObjectKey};

/// A bucket and what is in it, as far as the caller sees.
#[derive(Debug)]
pub struct UsedBucket {
    /// The bucket.
    pub bucket: Bucket,
    /// How many objects.
    pub file_count: i64,
    /// How many bytes.
    pub total_size: i64,
}

/// Which buckets to list, in which order.
#[derive(Debug, Clone, Default)]
pub struct BucketListing {
    /// Part of the name, whatever the case; empty for all.
    pub search: String,
    /// `id`, `created_at`, `updated_at`; anything else is `name`.
    pub sort_column: String,
    /// Whether the last comes first.
    pub descending: bool,
    /// At most so many; `None` for all.
    pub limit: Option<i64>,
    /// After so many.
    pub offset: i64,
}

struct BucketRow(Bucket);

impl FromRow<'_, PgRow> for BucketRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self(Bucket {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            owner: row.try_get("owner")?,
            owner_id: row.try_get("owner_id")?,
            public: row.try_get("public")?,
            is_public: row.try_get("is_public")?,
            file_size_limit: row.try_get("file_size_limit")?,
            allowed_mime_types: row.try_get("allowed_mime_types")?,
            description: row.try_get("description")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        }))
    }
}

struct UsedBucketRow(UsedBucket);

impl FromRow<'_, PgRow> for UsedBucketRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let BucketRow(bucket) = BucketRow::from_row(row)?;
        Ok(Self(UsedBucket {
            bucket,
            file_count: row.try_get("file_count")?,
            total_size: row.try_get("total_size")?,
        }))
    }
}

/// The bucket of that id.
pub async fn find(connection: &mut PgConnection, id: &str) -> Result<Option<Bucket>, sqlx::Error> {
    let found = sqlx::query_as("select * from storage.buckets where id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(found.map(|BucketRow(bucket)| bucket))
}

/// A bucket that an object is about to be put into.
#[derive(Debug)]
pub struct Destination {
    /// The bucket.
    pub bucket: Bucket,
    /// The entity tag of the object that has the name already; empty where it has none.
    pub taken_by: Option<String>,
}

/// What an object of that name would be put into. For the owner's connection: row-level security
/// has no say in it.
pub async fn destination(
    connection: &mut PgConnection,
    bucket: &BucketId,
    key: &ObjectKey,
) -> Result<Option<Destination>, sqlx::Error> {
    let found = sqlx::query(
        "select b.*, case when o.name is not null
                          then coalesce(o.metadata ->> 'eTag', '') end as taken_by
         from storage.buckets b
         left join storage.objects o on o.bucket_id = b.id and o.name = $2
         where b.id = $1",
    )
    .bind(bucket.as_str())
    .bind(key.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let BucketRow(bucket) = BucketRow::from_row(&row)?;
    Ok(Some(Destination {
        bucket,
        taken_by: row.try_get("taken_by")?,
    }))
}

/// One page of buckets.
pub async fn list(
    connection: &mut PgConnection,
    listing: &BucketListing,
) -> Result<Vec<Bucket>, sqlx::Error> {
    let rows: Vec<BucketRow> = sqlx::query_as(
        "select * from storage.buckets
         where strpos(lower(name), lower($1)) > 0
         order by
             case when $2 = 'created_at' and not $3 then created_at end,
             case when $2 = 'created_at' and $3 then created_at end desc,
             case when $2 = 'updated_at' and not $3 then updated_at end,
             case when $2 = 'updated_at' and $3 then updated_at end desc,
             case when not $3 then case $2 when 'id' then id else name end end,
             case when $3 then case $2 when 'id' then id else name end end desc
         limit $4 offset $5",
    )
    .bind(&listing.search)
    .bind(&listing.sort_column)
    .bind(listing.descending)
    .bind(listing.limit)
    .bind(listing.offset)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|BucketRow(bucket)| bucket).collect())
}

/// Which of the buckets a listing with usage is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All that the caller sees.
    Visible,
    /// Those anybody may list.
    Public,
    /// The one of this id.
    One(&'a str),
}

/// One page of buckets with their usage, newest first.
pub async fn list_used(
    connection: &mut PgConnection,
    scope: Scope<'_>,
    limit: i64,
    offset: i64,
) -> Result<Vec<UsedBucket>, sqlx::Error> {
    let (public_only, id) = match scope {
        Scope::Visible => (false, None),
        Scope::Public => (true, None),
        Scope::One(id) => (false, Some(id)),
    };
    let rows: Vec<UsedBucketRow> = sqlx::query_as(
        "select b.*, u.file_count, u.total_size
         from storage.buckets b
         cross join lateral (
             select count(*) as file_count,
                    coalesce(sum((o.metadata ->> 'size')::bigint), 0)::bigint as total_size
             from storage.objects o
             where o.bucket_id = b.id
         ) u
         where (not $1 or (b.public and b.is_public)) and ($2 is null or b.id = $2)
         order by b.created_at desc, b.id
         limit $3 offset $4",
    )
    .bind(public_only)
    .bind(id)
    .bind(limit)
    .bind(offset)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|UsedBucketRow(used)| used).collect())
}

/// Makes a bucket. Nothing is returned: that would need the right to read it.
pub async fn insert(connection: &mut PgConnection, bucket: &NewBucket) -> Result<(), sqlx::Error> {
    let (owner_managed, is_public, description) = match &bucket.rule {
        Rule::Policies => (false, false, None),
        Rule::Owner {
            is_public,
            description,
        } => (true, *is_public, description.as_deref()),
    };
    let owner = bucket.owner_id.as_deref();
    sqlx::query(
        "insert into storage.buckets
             (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types,
              owner_managed, is_public, description)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(bucket.id.as_str())
    .bind(bucket.name.as_str())
    .bind(owner.and_then(|subject| subject.parse::<Uuid>().ok()))
    .bind(owner)
    .bind(bucket.public)
    .bind(bucket.file_size_limit)
    .bind(&bucket.allowed_mime_types)
    .bind(owner_managed)
    .bind(is_public)
    .bind(description)
    .execute(connection)
    .await
    .map(drop)
}

/// Changes a bucket; answers whether there was one.
pub async fn update(
    connection: &mut PgConnection,
    id: &BucketId,
    change: &BucketChange,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update storage.buckets
         set public = coalesce($2, public),
             is_public = coalesce($3, is_public),
             file_size_limit = case when $4 then $5 else file_size_limit end,
             allowed_mime_types = case when $6 then $7 else allowed_mime_types end,
             name = coalesce($8, name),
             description = case when $9 then $10 else description end,
             updated_at = now()
         where id = $1",
    )
    .bind(id.as_str())
    .bind(change.public)
    .bind(change.is_public)
    .bind(change.file_size_limit.changes())
    .bind(change.file_size_limit.value())
    .bind(change.allowed_mime_types.changes())
    .bind(change.allowed_mime_types.value())
    .bind(change.name.as_ref().map(BucketId::as_str))
    .bind(change.description.changes())
    .bind(change.description.value())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// What became of a bucket that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    Deleted,
    /// There was none, or none that the caller may delete.
    Missing,
    /// It still holds objects.
    NotEmpty,
}

/// Deletes a bucket that is empty.
pub async fn delete(connection: &mut PgConnection, id: &BucketId) -> Result<Deletion, sqlx::Error> {
    let deleted = sqlx::query("delete from storage.buckets where id = $1")
        .bind(id.as_str())
        .execute(connection)
        .await;
    match deleted {
        Ok(done) if done.rows_affected() > 0 => Ok(Deletion::Deleted),
        Ok(_) => Ok(Deletion::Missing),
        Err(error) => {
            let holds_objects = error
                .as_database_error()
                .is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation);
            if holds_objects {
                Ok(Deletion::NotEmpty)
            } else {
                Err(error)
            }
        }
    }
}
