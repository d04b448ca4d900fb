//! `storage.pending_uploads` and `storage.pending_parts`. All of it is for the owner's connections:
//! whether somebody may go on with an upload is asked of `storage.objects`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::types::Json;
use pg::sqlx::{self, FromRow, PgConnection, Row as _};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::mime::MimeType;
use crate::domain::object::{Overwrite, Stored, Version};
use crate::domain::pending::{Part, PendingUpload, Protocol, UploadId};

struct UploadRow(PendingUpload);
struct PartRow(Part);

fn decoded<T, E: std::error::Error + Send + Sync + 'static>(
    read: Result<T, E>,
) -> Result<T, sqlx::Error> {
    read.map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Sizes are never negative, which the table checks.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// No upload is as long as a `bigint` can say.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl FromRow<'_, PgRow> for UploadRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let (protocol, bucket, key): (String, String, String) = (
            row.try_get("protocol")?,
            row.try_get("bucket_id")?,
            row.try_get("name")?,
        );
        let mime: String = row.try_get("mimetype")?;
        let size: Option<i64> = row.try_get("size")?;
        let version: Option<String> = row.try_get("version")?;
        let user_metadata: Option<Json<Map<String, Value>>> = row.try_get("user_metadata")?;
        let upsert: bool = row.try_get("upsert")?;
        Ok(Self(PendingUpload {
            id: UploadId(row.try_get("id")?),
            protocol: if protocol == "tus" {
                Protocol::Tus
            } else {
                Protocol::S3
            },
            bucket: decoded(BucketId::parse(&bucket))?,
            key: decoded(ObjectKey::parse(&key))?,
            role: row.try_get("role")?,
            owner_id: row.try_get("owner_id")?,
            size: size.map(unsigned),
            received: unsigned(row.try_get("received")?),
            overwrite: if upsert {
                Overwrite::Replace
            } else {
                Overwrite::Refuse
            },
            mime: decoded(MimeType::parse(&mime))?,
            cache_control: row.try_get("cache_control")?,
            user_metadata: user_metadata.map(|Json(map)| map),
            upload_metadata: row.try_get("upload_metadata")?,
            version: version.and_then(|text| text.parse().ok()),
            finished: row.try_get("finished")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
        }))
    }
}

impl FromRow<'_, PgRow> for PartRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let version: String = row.try_get("version")?;
        let (sha256, md5): (Vec<u8>, Vec<u8>) = (row.try_get("sha256")?, row.try_get("md5")?);
        let short = || sqlx::Error::Decode("a hash is too short".into());
        Ok(Self(Part {
            number: unsigned(row.try_get("number")?),
            version: decoded(version.parse())?,
            stored: Stored {
                size: unsigned(row.try_get("size")?),
                sha256: sha256.try_into().map_err(|_| short())?,
                md5: md5.try_into().map_err(|_| short())?,
            },
            created_at: row.try_get("created_at")?,
        }))
    }
}

/// Notes that an upload has begun.
pub async fn insert(
    connection: &mut PgConnection,
    upload: &PendingUpload,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into storage.pending_uploads
             (id, protocol, bucket_id, name, owner_id, size, upsert, mimetype, cache_control,
              user_metadata, upload_metadata, created_at, expires_at, role)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(upload.id.0)
    .bind(upload.protocol.as_str())
    .bind(upload.bucket.as_str())
    .bind(upload.key.as_str())
    .bind(&upload.owner_id)
    .bind(upload.size.map(signed))
    .bind(upload.overwrite == Overwrite::Replace)
    .bind(upload.mime.as_str())
    .bind(&upload.cache_control)
    .bind(upload.user_metadata.as_ref().map(Json))
    .bind(&upload.upload_metadata)
    .bind(upload.created_at)
    .bind(upload.expires_at)
    .bind(&upload.role)
    .execute(connection)
    .await
    .map(drop)
}

/// The upload of that id.
pub async fn find(
    connection: &mut PgConnection,
    id: UploadId,
    protocol: Protocol,
) -> Result<Option<PendingUpload>, sqlx::Error> {
    let found: Option<UploadRow> =
        sqlx::query_as("select * from storage.pending_uploads where id = $1 and protocol = $2")
            .bind(id.0)
            .bind(protocol.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(found.map(|UploadRow(upload)| upload))
}

/// Notes how long an upload is that did not say so when it began.
pub async fn set_size(
    connection: &mut PgConnection,
    id: UploadId,
    size: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query("update storage.pending_uploads set size = $2 where id = $1 and size is null")
        .bind(id.0)
        .bind(signed(size))
        .execute(connection)
        .await
        .map(drop)
}

/// Adds the part that follows the bytes kept so far; answers false where somebody else did.
pub async fn append(
    connection: &mut PgConnection,
    id: UploadId,
    part: &Part,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "with moved as (
             update storage.pending_uploads set received = received + $4
             where id = $1 and received = $2 and not finished
             returning id
         )
         insert into storage.pending_parts (upload_id, number, version, size, sha256, md5)
         select id, $2, $3, $4, $5, $6 from moved",
    )
    .bind(id.0)
    .bind(signed(part.number))
    .bind(part.version.to_string())
    .bind(signed(part.stored.size))
    .bind(part.stored.sha256)
    .bind(part.stored.md5)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Adds or replaces a numbered part; answers false where the upload is gone.
pub async fn put_part(
    connection: &mut PgConnection,
    id: UploadId,
    part: &Part,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into storage.pending_parts (upload_id, number, version, size, sha256, md5)
         select id, $2, $3, $4, $5, $6
         from storage.pending_uploads where id = $1 and not finished
         on conflict (upload_id, number) do update
         set version = excluded.version, size = excluded.size, sha256 = excluded.sha256,
             md5 = excluded.md5, created_at = now()",
    )
    .bind(id.0)
    .bind(signed(part.number))
    .bind(part.version.to_string())
    .bind(signed(part.stored.size))
    .bind(part.stored.sha256)
    .bind(part.stored.md5)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// An upload's parts, by number.
pub async fn parts(connection: &mut PgConnection, id: UploadId) -> Result<Vec<Part>, sqlx::Error> {
    let rows: Vec<PartRow> =
        sqlx::query_as("select * from storage.pending_parts where upload_id = $1 order by number")
            .bind(id.0)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|PartRow(part)| part).collect())
}

/// Notes what an upload's whole bytes are called, before an object's row says so.
pub async fn set_version(
    connection: &mut PgConnection,
    id: UploadId,
    version: Version,
) -> Result<(), sqlx::Error> {
    sqlx::query("update storage.pending_uploads set version = $2 where id = $1")
        .bind(id.0)
        .bind(version.to_string())
        .execute(connection)
        .await
        .map(drop)
}

/// The object whose bytes are `version`, where there is one.
pub async fn object_of(
    connection: &mut PgConnection,
    version: Version,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar("select id from storage.objects where version = $1 limit 1")
        .bind(version.to_string())
        .fetch_optional(connection)
        .await
}

/// Notes that an upload is an object, whose row alone keeps the bytes from now on; its parts go.
pub async fn finish(connection: &mut PgConnection, id: UploadId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with gone as (delete from storage.pending_parts where upload_id = $1)
         update storage.pending_uploads
         set finished = true, version = null, received = coalesce(size, received)
         where id = $1",
    )
    .bind(id.0)
    .execute(connection)
    .await
    .map(drop)
}

/// Gives an upload up; answers whether there was one.
pub async fn delete(connection: &mut PgConnection, id: UploadId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("delete from storage.pending_uploads where id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Gives up what expired before `now`; answers how many.
pub async fn delete_expired(
    connection: &mut PgConnection,
    now: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("delete from storage.pending_uploads where expires_at < $1")
        .bind(now)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Which unfinished uploads to list, by name and id.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// What names begin with.
    pub prefix: &'a str,
    /// After this name, or after this upload of it.
    pub after: (&'a str, Option<Uuid>),
    /// Whose: the role and the subject.
    pub role: &'a str,
    /// Likewise.
    pub owner: Option<&'a str>,
    /// At most so many.
    pub limit: i32,
}

/// The unfinished uploads by S3's protocol to a bucket.
pub async fn list(
    connection: &mut PgConnection,
    bucket: &BucketId,
    listing: &Listing<'_>,
) -> Result<Vec<PendingUpload>, sqlx::Error> {
    let rows: Vec<UploadRow> = sqlx::query_as(
        "select * from storage.pending_uploads
         where bucket_id = $1 and protocol = 's3' and not finished and starts_with(name, $2)
           and (name > $3 or (name = $3 and id > $4))
           and role = $5 and owner_id is not distinct from $6
         order by name, id limit $7",
    )
    .bind(bucket.as_str())
    .bind(listing.prefix)
    .bind(listing.after.0)
    .bind(listing.after.1)
    .bind(listing.role)
    .bind(listing.owner)
    .bind(listing.limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|UploadRow(upload)| upload).collect())
}
