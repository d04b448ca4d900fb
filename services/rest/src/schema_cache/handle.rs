//! The cache as requests see it: whatever was loaded last, without waiting.

use std::sync::Arc;

use pg::sqlx::postgres::PgPool;
use tokio::sync::{Mutex, watch};

use super::SchemaCache;
use super::load::{LoadError, load};

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
        let cache = load(pool, schemas, previous.as_deref()).await?;
        tracing::info!(
            tables = cache.tables.len(),
            relationships = cache.relationships.values().map(Vec::len).sum::<usize>(),
            functions = cache.routines.len(),
            "schema cache loaded"
        );
        self.0.newest.send_replace(Some(Arc::new(cache)));
        Ok(())
    }
}
