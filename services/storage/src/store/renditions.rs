//! `storage.renditions`: images rendered from objects' bytes. All of it is for the owner's
//! connections, after the authoriser has let the caller read the object.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, FromRow, PgConnection, Row as _};

use crate::domain::object::Version;

/// An image that was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// Names its bytes.
    pub version: Version,
    /// Its media type.
    pub mimetype: String,
    /// Bytes.
    pub size: u64,
    /// Its entity tag, with quotes.
    pub etag: String,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

struct RenditionRow(Rendition);

impl FromRow<'_, PgRow> for RenditionRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let version: String = row.try_get("version")?;
        let size: i64 = row.try_get("size")?;
        let sha256: Vec<u8> = row.try_get("sha256")?;
        Ok(Self(Rendition {
            version: version
                .parse()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            mimetype: row.try_get("mimetype")?,
            size: u64::try_from(size).unwrap_or_default(),
            etag: row.try_get("etag")?,
            sha256: sha256
                .try_into()
                .map_err(|_| sqlx::Error::Decode("a hash is too short".into()))?,
        }))
    }
}

/// What was rendered from `source` by `transformation`.
pub async fn find(
    connection: &mut PgConnection,
    source: Version,
    transformation: &str,
) -> Result<Option<Rendition>, sqlx::Error> {
    let found: Option<RenditionRow> = sqlx::query_as(
        "select * from storage.renditions where source_version = $1 and transformation = $2",
    )
    .bind(source.to_string())
    .bind(transformation)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|RenditionRow(rendition)| rendition))
}

/// Keeps a rendition, as long as an object still has the bytes it was rendered from; answers
/// whether it is kept.
pub async fn insert(
    connection: &mut PgConnection,
    source: Version,
    transformation: &str,
    rendition: &Rendition,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into storage.renditions
             (source_version, transformation, version, mimetype, size, etag, sha256)
         select $1, $2, $3, $4, $5, $6, $7
         where exists (select from storage.objects where version = $1)
         on conflict do nothing",
    )
    .bind(source.to_string())
    .bind(transformation)
    .bind(rendition.version.to_string())
    .bind(&rendition.mimetype)
    .bind(i64::try_from(rendition.size).unwrap_or(i64::MAX))
    .bind(&rendition.etag)
    .bind(rendition.sha256)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Lets go of what was rendered of one object, of a bucket's, or of all.
pub async fn purge(
    connection: &mut PgConnection,
    bucket: Option<&str>,
    key: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from storage.renditions r using storage.objects o
         where o.version = r.source_version
           and ($1 is null or o.bucket_id = $1) and ($2 is null or o.name = $2)",
    )
    .bind(bucket)
    .bind(key)
    .execute(connection)
    .await
    .map(drop)
}
