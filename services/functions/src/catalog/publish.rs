//! Deploying by hand: a version is started before anything is changed, and serves at once.

use std::sync::{Arc, PoisonError};

use super::{Catalog, Function};
use crate::domain::code::Code;
use crate::domain::{FunctionName, Version};
use crate::packages::Tree;
use crate::runtime::{StartError, Worker};
use crate::source::SourceError;

/// A version that has been started, and serves nobody yet. Dropping it ends its process.
#[derive(Debug)]
pub(crate) struct Tried {
    version: Arc<Version>,
    worker: Arc<dyn Worker>,
}

/// Why a version cannot serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TryError {
    #[error("the code cannot be written down")]
    Source(#[from] SourceError),
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Catalog {
    /// Starts `code` as the function `name` would run it, with `packages` where it is known what it
    /// imports.
    pub(crate) async fn try_code(
        self: &Arc<Self>,
        name: &FunctionName,
        code: &Code,
        packages: Option<Arc<Tree>>,
    ) -> Result<Tried, TryError> {
        let secrets = self.refreshing.lock().await.secrets(name);
        let (snapshots, name, code) = (Arc::clone(&self.snapshots), name.clone(), code.clone());
        let made = tokio::task::spawn_blocking(move || snapshots.make(name, &code, secrets)).await;
        let version = made.map_err(|error| StartError::Unavailable(error.into()))??;
        if let Some(packages) = packages {
            let _ = version.packages.set(packages);
        }
        let version = Arc::new(version);
        let worker = self.runtime.start(Arc::clone(&version)).await?;
        Ok(Tried { version, worker })
    }

    /// Has `tried` serve, once `commit` has made it the version that does.
    pub(crate) async fn publish<T, E>(
        self: &Arc<Self>,
        tried: Tried,
        commit: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        // No refresh sees the new version before its worker is in place.
        let mut last = self.refreshing.lock().await;
        let committed = commit.await?;
        let Tried { version, worker } = tried;
        let described = worker.described().clone();
        let published = Arc::clone(&version);
        if let Some(function) = self.find(&version.function) {
            function.adopt(version, worker);
        } else {
            let function = Function::new(Arc::clone(&version), self.verify_jwt);
            function.adopt(version, worker);
            self.functions
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(function.name.clone(), Arc::new(function));
        }
        Box::pin(self.refresh_from(&mut last)).await;
        self.note(&published, &described);
        Ok(committed)
    }
}
