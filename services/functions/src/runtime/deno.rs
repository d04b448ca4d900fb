//! Functions in Deno: one sandboxed process per version, handed out of a small stock of processes
//! that have started already and wait to be told what they are.

mod connections;
mod cpu;
mod door;
mod environment;
mod folder;
mod gate;
mod headers;
mod launch;
mod logs;
mod process;
mod run_directory;
mod slot;
mod spawner;
mod stock;
mod tunnel;
mod worker;
mod worker_body;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use common::{BoxError, Randomness};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Runtime, StartError, Worker};
use crate::config::{Granted, ProcessConfig};
use crate::domain::{Limits, Version};
use door::{Door, Target};
use run_directory::RunDirectory;
use spawner::Spawner;
use stock::Stock;

/// How long a start waits for a busy process to end where no other may be started.
const PATIENCE: Duration = Duration::from_secs(5);

/// The runtime, and everything its processes share.
#[derive(Debug)]
pub(crate) struct DenoRuntime {
    config: ProcessConfig,
    granted: Granted,
    limits: Limits,
    spawner: Spawner,
    door: Door,
    stock: Stock,
    /// One permit for each process.
    room: Arc<Semaphore>,
    next_slot: AtomicU64,
    /// Everything that runs beside requests: supervisors, logs, connections.
    tasks: TaskTracker,
    /// Cancelled when every process must end at once.
    closing: CancellationToken,
    run: RunDirectory,
}

impl DenoRuntime {
    /// Prepares the folder, the socket and the thread that processes need; starts none yet. Called
    /// in a Tokio runtime.
    pub(crate) fn new(
        config: ProcessConfig,
        granted: Granted,
        limits: Limits,
        randomness: &dyn Randomness,
    ) -> Result<Self, BoxError> {
        let run = RunDirectory::create(&config.run_directory, randomness)?;
        let door = Door::open(
            run.path(),
            Target {
                address: config.api.clone(),
                public: granted.public_url.authority.clone(),
            },
        )?;
        Ok(Self {
            spawner: Spawner::start()?,
            door,
            stock: Stock::new(config.warm),
            room: Arc::new(Semaphore::new(config.most)),
            next_slot: AtomicU64::new(1),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            run,
            config,
            granted,
            limits,
        })
    }

    /// The folder for what lives as long as this process.
    pub(crate) fn run_directory(&self) -> &Path {
        self.run.path()
    }

    /// Keeps the stock of waiting processes full until `shutdown`.
    pub(crate) async fn keep_stock(&self, shutdown: CancellationToken) {
        shutdown
            .run_until_cancelled(self.stock.keep_full(self))
            .await;
        self.stock.clear();
    }

    /// Serves the way to the platform's API until `shutdown`.
    pub(crate) async fn keep_door(&self, shutdown: CancellationToken) {
        let serving = self.door.serve(&self.tasks, &self.closing);
        shutdown.run_until_cancelled(serving).await;
    }

    /// Whether the last process that was started came up; the error says what to do.
    pub(crate) fn starts_processes(&self) -> Result<(), String> {
        self.stock.state()
    }

    /// Waits for every process to end by itself.
    pub(crate) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Kills every process.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    async fn start_version(&self, version: Arc<Version>) -> Result<Arc<dyn Worker>, StartError> {
        loop {
            let slot = match self.stock.take() {
                Some(slot) => slot,
                None => self.spawn_slot().await?,
            };
            match slot.assign(self, &version).await {
                Ok(worker) => return Ok(Arc::new(worker)),
                // It died while it waited; the stock runs out of such slots.
                Err(slot::AssignError::SlotLost) => {}
                Err(slot::AssignError::Start(error)) => return Err(error),
            }
        }
    }
}

impl Runtime for DenoRuntime {
    fn start(&self, version: Arc<Version>) -> BoxFuture<'_, Result<Arc<dyn Worker>, StartError>> {
        self.start_version(version).boxed()
    }

    fn has_room(&self) -> bool {
        self.room.available_permits() > 0 || self.stock.has_some()
    }
}

impl Drop for DenoRuntime {
    fn drop(&mut self) {
        self.close();
    }
}
