//! Looking again at once: what was deployed a moment ago, on this node or another, is no stranger.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use super::{Catalog, Function};
use crate::domain::FunctionName;

/// How long a request for an unknown function waits at most, where Postgres does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

impl Catalog {
    /// The function `name`, also where it was deployed after the last look at the registry: who has
    /// seen it listed finds it, on every node.
    pub(crate) async fn find_deployed(
        self: &Arc<Self>,
        name: &FunctionName,
    ) -> Option<Arc<Function>> {
        if let Some(function) = self.find(name) {
            return Some(function);
        }
        self.catch_up().await;
        self.find(name)
    }

    /// Takes over what the registry was told before this was called. Many who ask at once share one
    /// look, so that requests for functions that do not exist cost one small query at a time.
    pub(crate) async fn catch_up(self: &Arc<Self>) {
        let catalog = Arc::clone(self);
        // Runs on when the caller goes away: half a look is none.
        let looking = self.tasks.spawn(async move { catalog.look_again().await });
        let _ = timeout(PATIENCE, looking).await;
    }

    async fn look_again(self: &Arc<Self>) {
        let Some(registry) = &self.registry else {
            return;
        };
        let looks = self.looks.load(Ordering::SeqCst);
        let mut last = self.refreshing.lock().await;
        if self.looks.load(Ordering::SeqCst) > looks {
            // Whoever held the lock began to look after this was asked for.
            return;
        }
        self.looks.fetch_add(1, Ordering::SeqCst);
        match registry.revision().await {
            Ok(revision) if last.knows(revision) => {}
            Ok(_) => Box::pin(self.refresh_from(&mut last)).await,
            Err(error) => tracing::debug!(%error, "the registry was not asked"),
        }
    }
}
