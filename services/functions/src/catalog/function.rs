//! One function: its settings and its deployment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::deployment::{Deployment, Status};
use crate::domain::version::Sign;
use crate::domain::{FunctionName, Limits, Version};
use crate::invoker::Meters;
use crate::runtime::{Runtime, StartError, Worker};

/// A function of the platform.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: FunctionName,
    /// What is counted of its invocations.
    pub(crate) meters: Meters,
    verify_jwt: AtomicBool,
    deployment: Mutex<Deployment>,
    /// Held while a version starts, so that many first requests start one worker.
    starting: tokio::sync::Mutex<()>,
}

impl Function {
    pub(super) fn new(version: Arc<Version>, verify_jwt: bool) -> Self {
        Self {
            name: version.function.clone(),
            meters: Meters::default(),
            verify_jwt: AtomicBool::new(verify_jwt),
            deployment: Mutex::new(Deployment::new(version)),
            starting: tokio::sync::Mutex::default(),
        }
    }

    /// Whether a caller must show a valid token.
    pub(crate) fn verifies_jwt(&self) -> bool {
        self.verify_jwt.load(Ordering::Relaxed)
    }

    pub(super) fn set_verify_jwt(&self, verify_jwt: bool) {
        self.verify_jwt.store(verify_jwt, Ordering::Relaxed);
    }

    fn deployment(&self) -> MutexGuard<'_, Deployment> {
        self.deployment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> Status {
        self.deployment().status()
    }

    /// Whether its module may say by what it wants to be called.
    pub(crate) fn names_triggers(&self) -> bool {
        self.deployment().newest().traits.show(Sign::Triggers)
    }

    /// Whether it brings a `deno.json` or an import map.
    pub(crate) fn has_configuration(&self) -> bool {
        self.newest().traits.config.is_some()
    }

    /// The largest body it takes, in bytes: what it says itself, else `all`.
    pub(crate) fn body_bytes(&self, all: Limits) -> usize {
        self.newest().traits.limits(all).body_bytes
    }

    pub(crate) fn newest(&self) -> Arc<Version> {
        Arc::clone(self.deployment().newest())
    }

    /// Takes a newer version; says whether it is to be tried at once.
    pub(super) fn announce(&self, version: Arc<Version>) -> bool {
        self.deployment().announce(version)
    }

    /// Has `worker`, which runs `version`, serve from now on.
    pub(super) fn adopt(&self, version: Arc<Version>, worker: Arc<dyn Worker>) {
        let replaced = {
            let mut deployment = self.deployment();
            deployment.announce(Arc::clone(&version));
            deployment.install(version, worker)
        };
        for replaced in replaced {
            replaced.retire();
        }
    }

    /// The worker that takes requests now.
    pub(super) fn serving(&self) -> Option<Arc<dyn Worker>> {
        self.deployment().serving()
    }

    /// All of its workers.
    pub(super) fn workers(&self) -> Vec<Arc<dyn Worker>> {
        self.deployment().team().all()
    }

    pub(super) fn retire(&self) {
        self.workers().iter().for_each(|worker| worker.retire());
    }

    /// Whether its processes have more to do than they can, and it may have another.
    pub(super) fn is_short_of_workers(&self) -> bool {
        self.deployment().team().short_of().is_some()
    }

    /// Starts another process of the version that serves, where it is still short of them.
    pub(super) async fn reinforce(&self, runtime: &dyn Runtime) {
        let Ok(_turn) = self.starting.try_lock() else {
            return;
        };
        let Some(version) = self.deployment().team().short_of() else {
            return;
        };
        match runtime.start(version).await {
            Ok(worker) => {
                let joined = self.deployment().team().join(worker);
                match joined {
                    Ok(()) => tracing::info!(function = %self.name, "another process was started"),
                    // Another version serves by now.
                    Err(unwanted) => unwanted.retire(),
                }
            }
            Err(error) => {
                tracing::warn!(function = %self.name, %error, "another process did not start");
            }
        }
    }

    /// Starts the newest version where it has not started yet, else the last good one where none
    /// runs.
    pub(super) async fn activate(
        &self,
        runtime: &dyn Runtime,
    ) -> Result<Arc<dyn Worker>, Arc<StartError>> {
        let _turn = self.starting.lock().await;
        let candidate = self.deployment().candidate(Instant::now());
        if let Some(version) = candidate {
            match self.start(runtime, Arc::clone(&version)).await {
                Ok(worker) => return Ok(worker),
                Err(error) => {
                    let failure = Arc::new(error);
                    tracing::warn!(function = %self.name, version = %version.id, error = %failure, "function failed to start");
                    self.deployment()
                        .note_failure(&version, Arc::clone(&failure), Instant::now());
                }
            }
        }
        if let Some(worker) = self.serving() {
            return Ok(worker);
        }
        let (good, failure) = {
            let deployment = self.deployment();
            (deployment.good(), deployment.failure())
        };
        match good {
            Some(version) => self.start(runtime, version).await.map_err(Arc::new),
            None => Err(failure.unwrap_or_else(|| Arc::new(StartError::Full))),
        }
    }

    async fn start(
        &self,
        runtime: &dyn Runtime,
        version: Arc<Version>,
    ) -> Result<Arc<dyn Worker>, StartError> {
        let pause = self.deployment().pause_before_start(Instant::now());
        tokio::time::sleep(pause).await;
        self.deployment().note_start(Instant::now());
        let started = Instant::now();
        let worker = runtime.start(Arc::clone(&version)).await?;
        let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        tracing::info!(function = %self.name, version = %version.id, duration_ms, "function started");
        let replaced = self.deployment().install(version, Arc::clone(&worker));
        for replaced in replaced {
            replaced.retire();
        }
        Ok(worker)
    }
}
