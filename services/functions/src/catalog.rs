//! Which functions there are and which version of each serves. A version that does not start leaves
//! the one before it serving.

mod catch_up;
mod deployment;
mod function;
mod notes;
mod publish;
mod refresh;
mod team;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio_util::task::TaskTracker;

use crate::domain::{FunctionName, VersionId};
use crate::registry::Registry;
use crate::runtime::{Runtime, Worker};
use crate::source::{Snapshots, Source};

pub(crate) use function::Function;
pub(crate) use publish::{Tried, TryError};

/// All functions of the platform.
#[derive(Debug)]
pub(crate) struct Catalog {
    functions: RwLock<BTreeMap<FunctionName, Arc<Function>>>,
    source: Source,
    snapshots: Arc<Snapshots>,
    runtime: Arc<dyn Runtime>,
    /// `None` where only the folder counts.
    registry: Option<Registry>,
    verify_jwt: bool,
    tasks: TaskTracker,
    /// The version of each function whose triggers the registry was told last.
    noted: Mutex<BTreeMap<FunctionName, VersionId>>,
    refreshing: tokio::sync::Mutex<refresh::Last>,
    /// How often it was begun to look at the registry; grows while `refreshing` is held.
    looks: AtomicU64,
}

impl Catalog {
    /// An empty catalogue of `source` and `registry`; `verify_jwt` holds for functions that do not
    /// say.
    pub(crate) fn new(
        source: Source,
        snapshots: Snapshots,
        runtime: Arc<dyn Runtime>,
        registry: Option<Registry>,
        verify_jwt: bool,
    ) -> Self {
        Self {
            source,
            snapshots: Arc::new(snapshots),
            runtime,
            registry,
            verify_jwt,
            functions: RwLock::default(),
            tasks: TaskTracker::new(),
            noted: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
            looks: AtomicU64::new(0),
        }
    }

    pub(crate) fn find(&self, name: &FunctionName) -> Option<Arc<Function>> {
        let functions = self
            .functions
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        functions.get(name).cloned()
    }

    /// Every function, by name.
    pub(crate) fn list(&self) -> Vec<Arc<Function>> {
        let functions = self
            .functions
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        functions.values().cloned().collect()
    }

    /// Ends the workers that have nothing to do.
    pub(crate) fn retire_idle(&self) {
        let functions = self.list();
        let workers = functions.iter().flat_map(|function| function.workers());
        workers.for_each(|worker| worker.retire_if_idle());
    }

    /// Starts one more process of each function that has more to do than its processes can, as long
    /// as no other function's has to make way for it.
    pub(crate) fn reinforce(self: &Arc<Self>) {
        let short = |function: &Arc<Function>| function.is_short_of_workers();
        for function in self.list().into_iter().filter(short) {
            let catalog = Arc::clone(self);
            self.tasks.spawn(async move {
                if catalog.runtime.has_room() {
                    function.reinforce(&*catalog.runtime).await;
                }
            });
        }
    }

    /// A worker of `function`, started where there is none; says whether it had to be.
    pub(crate) async fn worker(
        self: &Arc<Self>,
        function: &Arc<Function>,
    ) -> Result<(Arc<dyn Worker>, bool), Arc<crate::runtime::StartError>> {
        if let Some(worker) = function.serving() {
            return Ok((worker, false));
        }
        let worker = self.activate(Arc::clone(function)).await?;
        Ok((worker, true))
    }

    /// Has `function` serve its newest version that starts. Runs on when the caller goes away: the
    /// next one finds the worker.
    async fn activate(
        self: &Arc<Self>,
        function: Arc<Function>,
    ) -> Result<Arc<dyn Worker>, Arc<crate::runtime::StartError>> {
        let catalog = Arc::clone(self);
        let task = self.tasks.spawn(async move {
            let activated = function.activate(&*catalog.runtime).await;
            if let Ok(worker) = &activated {
                catalog.note(worker.version(), worker.described());
            }
            activated
        });
        task.await.unwrap_or_else(|error| {
            Err(Arc::new(crate::runtime::StartError::Unavailable(
                error.into(),
            )))
        })
    }
}
