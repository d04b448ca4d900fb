//! Reads the catalogue, all of it or what a change may have touched. Each query answers one JSON
//! text, so a database of ten thousand tables is a handful of rows on the wire.

use std::collections::HashSet;
use std::sync::Arc;

use pg::sqlx::postgres::{PgConnection, PgPool, types};
use pg::sqlx::{self, Postgres, Transaction};
use tokio::task::{JoinError, spawn_blocking};

use super::changes::Changes;
use super::facts::{Affected, Facts, FunctionTexts, Oid, RelationTexts, Settings};
use super::{QualifiedName, SchemaCache};

const TABLES: &str = include_str!("queries/tables.sql");
const FOREIGN_KEYS: &str = include_str!("queries/foreign_keys.sql");
const VIEW_COLUMNS: &str = include_str!("queries/view_columns.sql");
const COMPUTED: &str = include_str!("queries/computed_relationships.sql");
const MEDIA_AGGREGATES: &str = include_str!("queries/media_aggregates.sql");
const DOMAINS: &str = include_str!("queries/domains.sql");
const ROUTINES: &str = include_str!("queries/routines.sql");
const GRANTED: &str = include_str!("queries/granted.sql");
const AFFECTED: &str = include_str!("queries/affected.sql");
const RELATION: &str = include_str!("queries/relation.sql");
const ROLE_SETTINGS: &str = include_str!("queries/role_settings.sql");
const TIMEZONES: &str = include_str!("queries/timezones.sql");

/// A catalogue that could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the catalogue could not be queried")]
    Query(#[from] sqlx::Error),
    #[error("the catalogue's answer could not be read")]
    Decode(#[from] serde_json::Error),
    #[error("the catalogue's answer was not read to its end")]
    Interrupted(#[from] JoinError),
}

/// Loads what `schemas` hold, as one snapshot. Time zones do not change while Postgres runs and
/// take long to list: they are taken over from `previous`.
pub(super) async fn load(
    pool: &PgPool,
    schemas: &[String],
    previous: Option<&SchemaCache>,
) -> Result<SchemaCache, LoadError> {
    let mut snapshot = snapshot(pool).await?;
    let relations = relation_texts(&mut snapshot, schemas, None).await?;
    let functions = function_texts(&mut snapshot, schemas).await?;
    let granted = text(&mut snapshot, GRANTED, Some(schemas)).await?;
    let settings = text(&mut snapshot, ROLE_SETTINGS, None).await?;
    let timezones = if let Some(previous) = previous {
        Arc::clone(&previous.timezones)
    } else {
        let timezones = text(&mut snapshot, TIMEZONES, None).await?;
        Arc::new(serde_json::from_str::<HashSet<String>>(&timezones)?)
    };
    snapshot.commit().await?;
    assemble(move || {
        let mut facts = Facts {
            functions: Arc::new(functions.parse()?),
            settings: Arc::new(Settings::new(timezones, serde_json::from_str(&settings)?)),
            granted: serde_json::from_str(&granted)?,
            ..Facts::default()
        };
        facts.replace(None, &relations)?;
        Ok(facts)
    })
    .await
}

/// Reads again what depends on `changes`, as one snapshot, and takes the rest over from `previous`.
///
/// Whatever the catalogue says of an object in terms of another one (a name in a default, a type, a
/// key, a view's columns) it also notes as a dependency, or the other one could be dropped under
/// it. So nothing but what depends on a changed object can read otherwise than before.
pub(super) async fn refresh(
    pool: &PgPool,
    schemas: &[String],
    previous: &SchemaCache,
    changes: &Changes,
) -> Result<SchemaCache, LoadError> {
    let mut snapshot = snapshot(pool).await?;
    let (classes, objects): (Vec<_>, Vec<_>) = changes.objects().unzip();
    let affected = sqlx::query_scalar(AFFECTED)
        .bind(oids(&classes))
        .bind(oids(&objects))
        .persistent(false);
    let affected: String = affected.fetch_one(&mut *snapshot).await?;
    let affected: Affected = serde_json::from_str(&affected)?;
    let relations = relation_texts(&mut snapshot, schemas, Some(&affected)).await?;
    let functions = if affected.functions {
        Some(function_texts(&mut snapshot, schemas).await?)
    } else {
        None
    };
    let granted = text(&mut snapshot, GRANTED, Some(schemas)).await?;
    snapshot.commit().await?;
    let mut facts = previous.facts.clone();
    assemble(move || {
        if let Some(functions) = functions {
            facts.functions = Arc::new(functions.parse()?);
        }
        facts.granted = serde_json::from_str(&granted)?;
        facts.replace(Some(&affected.relations), &relations)?;
        Ok(facts)
    })
    .await
}

/// The number of what is called like this now.
pub(super) async fn relation_oid(
    pool: &PgPool,
    name: &QualifiedName,
) -> Result<Option<Oid>, LoadError> {
    let number = sqlx::query_scalar(RELATION)
        .bind(&name.schema)
        .bind(&name.name);
    let number: Option<i64> = number.fetch_optional(pool).await?;
    Ok(number.and_then(|number| number.try_into().ok()))
}

/// Large schemas take a while: not on a thread that requests are answered on.
async fn assemble(
    facts: impl FnOnce() -> Result<Facts, LoadError> + Send + 'static,
) -> Result<SchemaCache, LoadError> {
    spawn_blocking(move || Ok(facts()?.assemble())).await?
}

async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // Without a search path every name in types and defaults is written with its schema.
    sqlx::raw_sql(
        "set transaction isolation level repeatable read, read only; set local search_path = ''",
    )
    .execute(&mut *transaction)
    .await?;
    Ok(transaction)
}

async fn relation_texts(
    connection: &mut PgConnection,
    schemas: &[String],
    affected: Option<&Affected>,
) -> Result<RelationTexts, LoadError> {
    let only = affected.map(|affected| oids(&affected.relations));
    // Planned for what is asked: everything, or a few by their numbers.
    let tables = sqlx::query_scalar(TABLES).bind(schemas).bind(&only);
    let tables = tables.persistent(false).fetch_one(&mut *connection).await?;
    let keys = sqlx::query_scalar(FOREIGN_KEYS).bind(&only);
    let keys = keys.persistent(false).fetch_one(&mut *connection).await?;
    let columns = if affected.is_none_or(|affected| affected.views) {
        let columns = sqlx::query_scalar(VIEW_COLUMNS).bind(schemas).bind(&only);
        Some(columns.persistent(false).fetch_one(connection).await?)
    } else {
        None
    };
    Ok(RelationTexts {
        tables,
        keys,
        columns,
    })
}

async fn function_texts(
    connection: &mut PgConnection,
    schemas: &[String],
) -> Result<FunctionTexts, LoadError> {
    Ok(FunctionTexts {
        computed: text(connection, COMPUTED, Some(schemas)).await?,
        routines: text(connection, ROUTINES, Some(schemas)).await?,
        handlers: text(connection, MEDIA_AGGREGATES, Some(schemas)).await?,
        domains: text(connection, DOMAINS, Some(schemas)).await?,
    })
}

async fn text(
    connection: &mut PgConnection,
    sql: &'static str,
    schemas: Option<&[String]>,
) -> Result<String, LoadError> {
    let mut query = sqlx::query_scalar(sql);
    if let Some(schemas) = schemas {
        query = query.bind(schemas);
    }
    Ok(query.fetch_one(connection).await?)
}

fn oids(numbers: &[Oid]) -> Vec<types::Oid> {
    numbers.iter().copied().map(types::Oid).collect()
}
