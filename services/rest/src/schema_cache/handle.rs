//! The cache as requests see it: whatever was loaded last, without waiting.

use std::sync::Arc;

use tokio::sync::watch;

use super::SchemaCache;

/// Holds the newest cache.
#[derive(Debug, Clone)]
pub(crate) struct CacheHandle(Arc<watch::Sender<Option<Arc<SchemaCache>>>>);

impl CacheHandle {
    /// With nothing loaded yet.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// The newest cache; `None` before the first one.
    pub(crate) fn current(&self) -> Option<Arc<SchemaCache>> {
        self.0.borrow().clone()
    }

    /// Puts a new cache in the place of the old one; requests under way keep theirs.
    pub(crate) fn replace(&self, cache: SchemaCache) {
        self.0.send_replace(Some(Arc::new(cache)));
    }
}
