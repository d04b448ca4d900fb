//! Reads the catalogue. Each query answers one JSON text, so a database of ten thousand tables is
//! a handful of rows on the wire.

use std::collections::{BTreeMap, HashMap};

use pg::sqlx::postgres::PgPool;
use pg::sqlx::{self, Postgres, Transaction};
use serde::de::DeserializeOwned;

use super::SchemaCache;
use super::media::{FoundAggregate, MediaHandlers};
use super::relationship::{ForeignKey, Relationship, RowFunction};
use super::representation::FoundDomains;
use super::routine::Routine;
use super::table::Table;
use super::views::{ViewColumn, primary_keys, with_views};

const TABLES: &str = include_str!("queries/tables.sql");
const FOREIGN_KEYS: &str = include_str!("queries/foreign_keys.sql");
const VIEW_COLUMNS: &str = include_str!("queries/view_columns.sql");
const COMPUTED: &str = include_str!("queries/computed_relationships.sql");
const MEDIA_AGGREGATES: &str = include_str!("queries/media_aggregates.sql");
const DOMAINS: &str = include_str!("queries/domains.sql");
const ROUTINES: &str = include_str!("queries/routines.sql");
const ROLE_SETTINGS: &str = include_str!("queries/role_settings.sql");
const TIMEZONES: &str = include_str!("queries/timezones.sql");

/// A catalogue that could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the catalogue could not be queried")]
    Query(#[from] sqlx::Error),
    #[error("the catalogue's answer could not be read")]
    Decode(#[from] serde_json::Error),
}

/// Loads what `schemas` hold, as one snapshot. Time zones do not change while Postgres runs and
/// take long to list: they are taken over from `previous`.
pub(crate) async fn load(
    pool: &PgPool,
    schemas: &[String],
    previous: Option<&SchemaCache>,
) -> Result<SchemaCache, LoadError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(&mut *transaction)
        .await?;
    // Without a search path every name in types and defaults is written with its schema.
    sqlx::query("select set_config('search_path', '', true)")
        .execute(&mut *transaction)
        .await?;
    let tables: Vec<Table> = read(&mut transaction, TABLES, Some(schemas)).await?;
    let keys: Vec<ForeignKey> = read(&mut transaction, FOREIGN_KEYS, None).await?;
    let columns: Vec<ViewColumn> = read(&mut transaction, VIEW_COLUMNS, Some(schemas)).await?;
    let computed: Vec<RowFunction> = read(&mut transaction, COMPUTED, Some(schemas)).await?;
    let routines: Vec<Routine> = read(&mut transaction, ROUTINES, Some(schemas)).await?;
    let handlers: Vec<FoundAggregate> =
        read(&mut transaction, MEDIA_AGGREGATES, Some(schemas)).await?;
    let domains: FoundDomains = read(&mut transaction, DOMAINS, Some(schemas)).await?;
    let settings: Vec<(String, String, String)> =
        read(&mut transaction, ROLE_SETTINGS, None).await?;
    let timezones = match previous {
        Some(previous) => previous.timezones.clone(),
        None => read(&mut transaction, TIMEZONES, None).await?,
    };
    transaction.commit().await?;

    let tables = tables.into_iter();
    let mut tables: BTreeMap<_, _> = tables.map(|table| (table.name.clone(), table)).collect();
    for (view, key) in primary_keys(&columns) {
        if let Some(view) = tables.get_mut(view) {
            view.primary_key = key;
        }
    }
    // Views may show tables that are not exposed themselves.
    let mut keys = with_views(&keys, &columns);
    keys.retain(|key| tables.contains_key(&key.table) && tables.contains_key(&key.foreign_table));
    let mut relationships = relate(&tables, &keys);
    for function in computed {
        let known = relationships.entry(function.table.clone()).or_default();
        known.retain(|relationship| !relationship.is_overridden_by(&function.function));
        known.push(function.into());
    }
    let mut cache = SchemaCache {
        tables,
        relationships,
        handlers: MediaHandlers::from_iter(handlers),
        representations: domains.into(),
        timezones,
        ..SchemaCache::default()
    };
    for routine in routines {
        let overloads = cache.routines.entry(routine.name.clone()).or_default();
        overloads.push(routine);
    }
    for (role, name, value) in settings {
        let known = cache.role_settings.entry(role).or_default();
        known.retain(|(earlier, _)| *earlier != name);
        known.push((name, value));
    }
    Ok(cache)
}

async fn read<T: DeserializeOwned>(
    transaction: &mut Transaction<'static, Postgres>,
    sql: &'static str,
    schemas: Option<&[String]>,
) -> Result<T, LoadError> {
    let mut query = sqlx::query_scalar(sql);
    if let Some(schemas) = schemas {
        query = query.bind(schemas);
    }
    let text: String = query.fetch_one(&mut **transaction).await?;
    Ok(serde_json::from_str(&text)?)
}

type Relationships = HashMap<super::QualifiedName, Vec<Relationship>>;

fn relate(tables: &BTreeMap<super::QualifiedName, Table>, keys: &[ForeignKey]) -> Relationships {
    let mut relationships = Relationships::new();
    let mut add = |relationship: Relationship| {
        let known = relationships.entry(relationship.table.clone()).or_default();
        known.push(relationship);
    };
    let mut by_table: BTreeMap<_, Vec<&ForeignKey>> = BTreeMap::new();
    for key in keys {
        add(key.forwards());
        add(key.backwards());
        by_table.entry(&key.table).or_default().push(key);
    }
    for (table, keys) in by_table {
        let Some(primary_key) = tables.get(table).map(|table| &table.primary_key) else {
            continue;
        };
        for key in &keys {
            for other in &keys {
                key.across(other, primary_key)
                    .into_iter()
                    .for_each(&mut add);
            }
        }
    }
    relationships
}
