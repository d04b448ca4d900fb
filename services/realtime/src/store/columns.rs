//! Whether a table is published and which of its columns a role may read, for checking what a
//! channel asks for when it is joined.

use pg::sqlx::{self, Error, PgConnection, Row as _};

/// A column that the current role may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadableColumn {
    /// Its name.
    pub name: String,
    /// The oid of its type, or of the type below its domain.
    pub type_oid: u32,
}

/// The columns of `schema.table` that the current role may read; `None` where there is no such
/// table.
pub async fn readable(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<Option<Vec<ReadableColumn>>, Error> {
    let sql = "select a.attname::text, \
           coalesce(nullif(t.typbasetype, 0), t.oid)::int8, \
           pg_catalog.has_schema_privilege(n.oid, 'usage') \
             and pg_catalog.has_column_privilege(c.oid, a.attnum, 'select') \
         from pg_catalog.pg_class c \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         join pg_catalog.pg_attribute a on a.attrelid = c.oid \
         join pg_catalog.pg_type t on t.oid = a.atttypid \
         where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped";
    let rows = sqlx::query(sql)
        .bind(schema)
        .bind(table)
        .fetch_all(connection)
        .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut columns = Vec::with_capacity(rows.len());
    for row in rows {
        if row.try_get(2)? {
            let type_oid: i64 = row.try_get(1)?;
            columns.push(ReadableColumn {
                name: row.try_get(0)?,
                type_oid: u32::try_from(type_oid).unwrap_or_default(),
            });
        }
    }
    Ok(Some(columns))
}

/// Whether `publication` has a table of this schema and name, either of which may be `*`. Reads the
/// catalogue alone: `pg_publication_tables` takes a lock on every table of the publication, and
/// would wait for whoever alters one of them.
pub async fn is_published(
    connection: &mut PgConnection,
    (publication, schema, table): (&str, &str, &str),
) -> Result<bool, Error> {
    let published = match connection.server_version_num() {
        // There schemas cannot be published, and the view locks nothing.
        Some(..150_000) => {
            "select exists (select from pg_catalog.pg_publication_tables \
             where pubname = $1 and $2 in (schemaname, '*') and $3 in (tablename, '*'))"
        }
        _ => include_str!("../../sql/is_published.sql"),
    };
    sqlx::query_scalar(published)
        .bind(publication)
        .bind(schema)
        .bind(table)
        .fetch_one(connection)
        .await
}
