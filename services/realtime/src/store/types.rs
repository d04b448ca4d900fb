//! What the catalogue says of types that are not built in.

use std::collections::HashMap;

use pg::sqlx::{self, Error, PgPool, Row as _};

/// A type, by what its values are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeRow {
    /// Over another type.
    Domain(u32),
    /// Of elements of another type.
    Array(u32),
    /// Of named attributes and their types, in order.
    Composite(Vec<(String, u32)>),
    /// Its values are told as text: enums, ranges, types of extensions.
    Other,
}

impl TypeRow {
    fn parts(&self) -> Vec<u32> {
        match self {
            Self::Domain(oid) | Self::Array(oid) => vec![*oid],
            Self::Composite(attributes) => attributes.iter().map(|(_, oid)| *oid).collect(),
            Self::Other => Vec::new(),
        }
    }
}

/// The types with these oids and those that they are made of, `depth` deep.
pub async fn describe(
    pool: &PgPool,
    oids: &[u32],
    depth: usize,
) -> Result<HashMap<u32, TypeRow>, Error> {
    let mut found = HashMap::new();
    let mut wanted: Vec<u32> = oids.to_vec();
    for _ in 0..depth {
        if wanted.is_empty() {
            break;
        }
        let rows = read(pool, &wanted).await?;
        let parts = rows.iter().flat_map(|(_, row)| row.parts());
        let parts: Vec<u32> = parts.collect();
        found.extend(rows);
        wanted = parts;
        wanted.retain(|oid| !found.contains_key(oid));
    }
    Ok(found)
}

async fn read(pool: &PgPool, oids: &[u32]) -> Result<Vec<(u32, TypeRow)>, Error> {
    let sql = "select t.oid::int8, t.typtype::text, t.typbasetype::int8, \
           case when t.typcategory = 'A' then t.typelem::int8 else 0 end, \
           array(select a.attname::text from pg_attribute a \
                  where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped \
                  order by a.attnum), \
           array(select a.atttypid::int8 from pg_attribute a \
                  where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped \
                  order by a.attnum) \
         from pg_type t where t.oid::int8 = any ($1)";
    let wanted: Vec<i64> = oids.iter().map(|oid| i64::from(*oid)).collect();
    let rows = sqlx::query(sql).bind(wanted).fetch_all(pool).await?;
    let oid = |number: i64| u32::try_from(number).unwrap_or_default();
    let mut types = Vec::with_capacity(rows.len());
    for row in rows {
        let kind: String = row.try_get(1)?;
        let (base, element): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let (names, parts): (Vec<String>, Vec<i64>) = (row.try_get(4)?, row.try_get(5)?);
        let described = match kind.as_str() {
            "d" => TypeRow::Domain(oid(base)),
            "c" => TypeRow::Composite(names.into_iter().zip(parts.into_iter().map(oid)).collect()),
            _ if element != 0 => TypeRow::Array(oid(element)),
            _ => TypeRow::Other,
        };
        types.push((oid(row.try_get(0)?), described));
    }
    Ok(types)
}
