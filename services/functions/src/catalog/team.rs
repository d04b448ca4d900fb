//! The processes of one function: one of them, and further ones while that has more to do than one
//! processor can.

use std::sync::Arc;

use crate::domain::Version;
use crate::runtime::Worker;

/// Workers that run the same version.
#[derive(Debug, Default)]
pub(super) struct Team(Vec<Arc<dyn Worker>>);

impl Team {
    /// The worker that has the least to do.
    pub(super) fn pick(&self) -> Option<Arc<dyn Worker>> {
        match self.0.as_slice() {
            [only] => only.is_serving().then(|| Arc::clone(only)),
            _ => self.serving().min_by_key(|worker| worker.load()).cloned(),
        }
    }

    fn serving(&self) -> impl Iterator<Item = &Arc<dyn Worker>> {
        self.0.iter().filter(|worker| worker.is_serving())
    }

    /// Every worker, also those that take no more requests.
    pub(super) fn all(&self) -> Vec<Arc<dyn Worker>> {
        self.0.clone()
    }

    /// Has `worker` alone serve; answers those it replaces.
    pub(super) fn replace(&mut self, worker: Arc<dyn Worker>) -> Vec<Arc<dyn Worker>> {
        std::mem::replace(&mut self.0, vec![worker])
    }

    /// The version to start once more, where every worker has more to do than it can.
    pub(super) fn short_of(&self) -> Option<Arc<Version>> {
        let first = self.serving().next()?;
        let fits = self.serving().count() < first.most_beside();
        let all = self.serving().all(|worker| worker.is_overloaded());
        (fits && all).then(|| Arc::clone(first.version()))
    }

    /// Has `worker` serve beside those of the same version; hands it back where there are none.
    pub(super) fn join(&mut self, worker: Arc<dyn Worker>) -> Result<(), Arc<dyn Worker>> {
        self.0.retain(|worker| worker.is_serving());
        let first = self.0.first();
        if first.is_some_and(|first| Arc::ptr_eq(first.version(), worker.version())) {
            self.0.push(worker);
            return Ok(());
        }
        Err(worker)
    }
}
