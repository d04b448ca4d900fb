//! The cache as requests see it: whatever was loaded last, without waiting.

use std::sync::Arc;

use pg::sqlx::postgres::PgPool;
use tokio::sync::{Mutex, watch};

use super::changes::Changes;
use super::load::{LoadError, load, refresh, relation_oid};
use super::{QualifiedName, SchemaCache};

/// The class of tables in numbers of `pg_depend`: `pg_class`.
const RELATIONS: u32 = 1259;

/// Holds the newest cache.
#[derive(Debug, Clone)]
pub(crate) struct CacheHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    newest: watch::Sender<Option<Arc<SchemaCache>>>,
    /// Held while one load runs: a later load never gives way to an earlier one.
    loading: Mutex<()>,
}

impl CacheHandle {
    /// With nothing loaded yet.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(Shared {
            newest: watch::Sender::new(None),
            loading: Mutex::new(()),
        }))
    }

    /// The newest cache; `None` before the first one.
    pub(crate) fn current(&self) -> Option<Arc<SchemaCache>> {
        self.0.newest.borrow().clone()
    }

    /// Loads what `schemas` hold now and puts it in the place of the cache of before; requests
    /// under way keep theirs.
    pub(crate) async fn reload(&self, pool: &PgPool, schemas: &[String]) -> Result<(), LoadError> {
        let _loading = self.0.loading.lock().await;
        let previous = self.current();
        let cache = Arc::new(load(pool, schemas, previous.as_deref()).await?);
        self.0.newest.send_replace(Some(Arc::clone(&cache)));
        tracing::info!(
            tables = cache.tables.len(),
            relationships = cache.relationships.values().map(Vec::len).sum::<usize>(),
            functions = cache.routines.len(),
            "schema cache loaded"
        );
        Ok(())
    }

    /// The same for what `changes` may have touched, where that is enough.
    pub(crate) async fn refresh(
        &self,
        pool: &PgPool,
        schemas: &[String],
        changes: &Changes,
    ) -> Result<(), LoadError> {
        if changes.are_none() {
            return Ok(());
        }
        let loading = self.0.loading.lock().await;
        let previous = self.current().filter(|_| !changes.are_everything());
        let Some(previous) = previous else {
            drop(loading);
            return self.reload(pool, schemas).await;
        };
        let cache = refresh(pool, schemas, &previous, changes).await?;
        self.0.newest.send_replace(Some(Arc::new(cache)));
        let changed = changes.objects().count();
        tracing::info!(changed, "schema cache refreshed");
        Ok(())
    }

    /// The same for one table that was made, changed or dropped.
    pub(crate) async fn refresh_table(
        &self,
        pool: &PgPool,
        schemas: &[String],
        table: &QualifiedName,
    ) -> Result<(), LoadError> {
        let known = self.current();
        let known = known.and_then(|cache| cache.facts.relation_named(table));
        let mut changes = Changes::default();
        for oid in known.into_iter().chain(relation_oid(pool, table).await?) {
            changes.add(RELATIONS, oid);
        }
        self.refresh(pool, schemas, &changes).await
    }
}
