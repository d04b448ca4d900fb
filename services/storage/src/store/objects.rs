//! `storage.objects`, one at a time or by name.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use pg::pipeline::{ResultSet, Statement};
use pg::sqlx::postgres::PgRow;
use pg::sqlx::types::Json;
use pg::sqlx::{self, FromRow, PgConnection, Row as _};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::object::{NewObject, Object, ObjectId, Overwrite, Version};

pub(super) struct ObjectRow(pub(super) Object);

impl FromRow<'_, PgRow> for ObjectRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let version: Option<String> = row.try_get("version")?;
        let metadata: Option<Json<Value>> = row.try_get("metadata")?;
        let user_metadata: Option<Json<Value>> = row.try_get("user_metadata")?;
        let sha256: Option<Vec<u8>> = row.try_get("sha256")?;
        Ok(Self(Object {
            id: ObjectId(row.try_get("id")?),
            bucket_id: row.try_get("bucket_id")?,
            name: row.try_get("name")?,
            owner: row.try_get("owner")?,
            owner_id: row.try_get("owner_id")?,
            version: version.and_then(|text| text.parse().ok()),
            metadata: metadata.map(|Json(value)| value),
            user_metadata: user_metadata.and_then(|Json(value)| as_map(value)),
            sha256: sha256.and_then(|bytes| bytes.try_into().ok()),
            is_public: row.try_get("is_public")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            last_accessed_at: row.try_get("last_accessed_at")?,
        }))
    }
}

fn as_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}

/// The object of that name.
pub async fn find(
    connection: &mut PgConnection,
    bucket: &BucketId,
    key: &ObjectKey,
) -> Result<Option<Object>, sqlx::Error> {
    let found = sqlx::query_as("select * from storage.objects where bucket_id = $1 and name = $2")
        .bind(bucket.as_str())
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(found.map(|ObjectRow(object)| object))
}

/// The object of that id.
pub async fn find_by_id(
    connection: &mut PgConnection,
    id: ObjectId,
) -> Result<Option<Object>, sqlx::Error> {
    let found = sqlx::query_as("select * from storage.objects where id = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.map(|ObjectRow(object)| object))
}

/// The object of that id, if anybody may view it.
pub async fn find_public_by_id(
    connection: &mut PgConnection,
    id: ObjectId,
) -> Result<Option<Object>, sqlx::Error> {
    let found = sqlx::query_as(
        "select * from storage.objects o
         where o.id = $1
           and (o.is_public or exists (
               select from storage.buckets b
               where b.id = o.bucket_id and b.public and b.is_public))",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|ObjectRow(object)| object))
}

/// Those of `keys` that exist.
pub async fn existing(
    connection: &mut PgConnection,
    bucket: &BucketId,
    keys: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("select name from storage.objects where bucket_id = $1 and name = any($2)")
        .bind(bucket.as_str())
        .bind(keys)
        .fetch_all(connection)
        .await
}

/// What there is under a name.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Whether the bucket is public; `None` where there is no such bucket.
    pub bucket_is_public: Option<bool>,
    /// The object.
    pub object: Option<Arc<Object>>,
}

/// What there is under each of `names`, in their order. For the owner's connection: row-level
/// security has no say in it.
pub async fn find_together(
    connection: &mut PgConnection,
    names: &[(BucketId, ObjectKey)],
) -> Result<Vec<Found>, sqlx::Error> {
    let buckets: Vec<&str> = names.iter().map(|(bucket, _)| bucket.as_str()).collect();
    let keys: Vec<&str> = names.iter().map(|(_, key)| key.as_str()).collect();
    // One descent of the index for each name, whatever the planner takes the table's size for.
    let rows = sqlx::query(
        "select asked.place, b.public as bucket_is_public, o.id, o.bucket_id, o.name, o.owner,
                o.owner_id, o.version, o.metadata, o.user_metadata, o.sha256, o.is_public,
                o.created_at, o.updated_at, o.last_accessed_at
         from unnest($1::text[], $2::text[]) with ordinality as asked (bucket, name, place)
         join storage.buckets b on b.id = asked.bucket
         left join lateral (
             select * from storage.objects o
             where o.bucket_id = asked.bucket and o.name = asked.name
             limit 1) o on true",
    )
    .bind(buckets)
    .bind(keys)
    .fetch_all(connection)
    .await?;
    let mut found = vec![Found::default(); names.len()];
    for row in rows {
        let place: i64 = row.try_get("place")?;
        let place = usize::try_from(place - 1).ok();
        let Some(found) = place.and_then(|place| found.get_mut(place)) else {
            continue;
        };
        found.bucket_is_public = row.try_get("bucket_is_public")?;
        if row.try_get::<Option<Uuid>, _>("id")?.is_some() {
            let ObjectRow(object) = ObjectRow::from_row(&row)?;
            found.object = Some(Arc::new(object));
        }
    }
    Ok(found)
}

/// Asks for the entity tag of an object, which is locked until the transaction ends.
pub fn lock_etag<'a>(bucket: &'a BucketId, key: &'a ObjectKey) -> Statement<'a> {
    let sql = "select coalesce(metadata ->> 'eTag', '') from storage.objects
         where bucket_id = $1 and name = $2 for update";
    Statement::new(sql).bind(bucket.as_str()).bind(key.as_str())
}

/// What [`lock_etag`] gave: empty of an object without one, `None` where there is no such object, or none that the caller may
/// change.
pub fn locked_etag(result: &ResultSet) -> Option<Cow<'_, str>> {
    let etag = result.rows.first()?.get(0);
    etag.map(String::from_utf8_lossy)
}

/// What an object's row says of its bytes.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Names the bytes; `None` only while it is tried whether the row may be written.
    pub version: Option<Version>,
    /// The column `metadata`.
    pub metadata: Value,
    /// The SHA-256 of the bytes.
    pub sha256: Option<[u8; 32]>,
}

/// Writes an object's row.
///
/// A new row is not returned: that would need the right to read it. Replacing needs the rights to
/// insert, read and update, as in Supabase.
pub fn write<'a>(object: &'a NewObject, content: &Content, overwrite: Overwrite) -> Statement<'a> {
    let sql = match overwrite {
        Overwrite::Refuse => {
            "insert into storage.objects
                 (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata, sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        }
        Overwrite::Replace => {
            "insert into storage.objects as o
                 (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata, sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (bucket_id, name) do update
             set owner = excluded.owner, owner_id = excluded.owner_id,
                 version = excluded.version, metadata = excluded.metadata,
                 user_metadata = excluded.user_metadata, sha256 = excluded.sha256,
                 updated_at = now()
             returning o.id"
        }
    };
    let owner_id = object.owner_id.as_deref();
    let owner = owner_id.and_then(|subject| subject.parse::<Uuid>().ok());
    let user_metadata = object.user_metadata.as_ref();
    let values = [
        Some(object.id.to_string().into()),
        Some(object.bucket.as_str().into()),
        Some(object.key.as_str().into()),
        owner.map(|owner| owner.to_string().into()),
        owner_id.map(Cow::from),
        content.version.map(|version| version.to_string().into()),
        Some(content.metadata.to_string().into()),
        user_metadata.map(|map| json!(map).to_string().into()),
        content.sha256.map(|hash| bytea(&hash).into()),
    ];
    let statement = Statement::new(sql);
    values
        .into_iter()
        .fold(statement, |statement, value| statement.bind_as(0, value))
}

/// The id of the row that [`write`] wrote for `object`: that of the one it replaced, else its own.
pub fn written_id(object: &NewObject, result: &ResultSet) -> ObjectId {
    let replaced = result
        .value()
        .and_then(|text| Uuid::try_parse_ascii(&text).ok());
    replaced.map_or(object.id, ObjectId)
}

/// `bytes` as a literal of Postgres' type `bytea`.
fn bytea(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Gives an object another name; answers whether there was one that the caller may change.
pub async fn rename(
    connection: &mut PgConnection,
    from: &(BucketId, ObjectKey),
    to: &(BucketId, ObjectKey),
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update storage.objects set bucket_id = $3, name = $4, updated_at = now()
         where bucket_id = $1 and name = $2",
    )
    .bind(from.0.as_str())
    .bind(from.1.as_str())
    .bind(to.0.as_str())
    .bind(to.1.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes the objects of those names; answers what they were.
pub async fn delete(
    connection: &mut PgConnection,
    bucket: &BucketId,
    keys: &[String],
) -> Result<Vec<Object>, sqlx::Error> {
    let rows: Vec<ObjectRow> = sqlx::query_as(
        "delete from storage.objects where bucket_id = $1 and name = any($2) returning *",
    )
    .bind(bucket.as_str())
    .bind(keys)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|ObjectRow(object)| object).collect())
}

/// Says whether anybody may view an object; answers whether the caller may change it.
pub async fn set_public(
    connection: &mut PgConnection,
    id: ObjectId,
    is_public: bool,
) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("update storage.objects set is_public = $2, updated_at = now() where id = $1")
            .bind(id.0)
            .bind(is_public)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes the object of that id; answers whether there was one.
pub async fn delete_by_id(
    connection: &mut PgConnection,
    id: ObjectId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("delete from storage.objects where id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes at most `limit` objects of a bucket; answers how many.
pub async fn delete_some(
    connection: &mut PgConnection,
    bucket: &BucketId,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "delete from storage.objects where id in (
             select id from storage.objects where bucket_id = $1 order by name limit $2)",
    )
    .bind(bucket.as_str())
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Whether the caller sees anything in a bucket.
pub async fn any(connection: &mut PgConnection, bucket: &BucketId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from storage.objects where bucket_id = $1)")
        .bind(bucket.as_str())
        .fetch_one(connection)
        .await
}
