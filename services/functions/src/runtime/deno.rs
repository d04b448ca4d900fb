//! Functions in Deno: one sandboxed process per version, handed out of a small stock of processes
//! that have started already and wait to be told what they are.

mod cgroup;
mod complaint;
mod connections;
mod cpu;
mod crowd;
mod database;
mod door;
mod environment;
mod folder;
mod gate;
mod headers;
mod launch;
mod logs;
mod meter;
mod networks;
mod process;
mod reach;
mod run_directory;
mod slot;
mod spawner;
mod specifiers;
mod stock;
mod strain;
pub(crate) mod tools;
mod tunnel;
mod worker;
mod worker_body;

use std::fmt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use common::{BoxError, Clock, Randomness};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pg::Endpoint;
use pg::sqlx::postgres::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Runtime, StartError, Worker};
use crate::config::{Granted, ProcessConfig};
use crate::domain::version::{Sign, Traits};
use crate::domain::{Limits, Version};
use crate::journal::Journal;
use crate::packages::Packages;
use cgroup::Groups;
use crowd::{Crowd, Queue};
use door::{Door, Target};
use run_directory::RunDirectory;
use spawner::Spawner;
use stock::Stock;
use tools::Fetched;

/// How long a start waits for a process to end where no other may be started: one that is idle may
/// have background work to finish first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks meanwhile whether a process has become idle.
const LOOK: Duration = Duration::from_millis(50);

/// The runtime, and everything its processes share.
pub(crate) struct DenoRuntime {
    config: ProcessConfig,
    granted: Granted,
    limits: Limits,
    spawner: Spawner,
    groups: Option<Groups>,
    door: Door,
    stock: Stock,
    /// One permit for each process.
    room: Arc<Semaphore>,
    crowd: Crowd,
    queue: Queue,
    /// One at a time: they are made of threads.
    tools: Arc<Semaphore>,
    next_slot: AtomicU64,
    /// Everything that runs beside requests: supervisors, logs, connections.
    tasks: TaskTracker,
    /// Cancelled when every process must end at once.
    closing: CancellationToken,
    run: RunDirectory,
    journal: Journal,
    /// What versions import from registries.
    pub(crate) packages: Packages,
    clock: Arc<dyn Clock>,
}

impl DenoRuntime {
    /// Prepares the folder, the socket and the thread that processes need; starts none yet. Called
    /// in a Tokio runtime.
    pub(crate) fn new(
        config: ProcessConfig,
        granted: Granted,
        limits: Limits,
        (journal, pool): (Journal, PgPool),
        (clock, randomness): (Arc<dyn Clock>, &dyn Randomness),
    ) -> Result<Self, BoxError> {
        let run = RunDirectory::create(&config.run_directory, randomness)?;
        let config = ProcessConfig {
            packages: run.packages(&config.packages)?,
            ..config
        };
        let door = Door::open(
            run.path(),
            Target {
                address: config.api.clone(),
                public: granted.public_url.authority.clone(),
            },
        )?;
        let groups = Groups::open(&config.control_groups, &run.name())?;
        Ok(Self {
            groups,
            spawner: Spawner::start()?,
            door,
            stock: Stock::new(config.warm),
            room: Arc::new(Semaphore::new(config.most)),
            crowd: Crowd::default(),
            queue: Queue::default(),
            tools: Arc::new(Semaphore::new(1)),
            next_slot: AtomicU64::new(1),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            run,
            packages: Packages::new(config.packages.clone(), pool),
            config,
            granted,
            limits,
            journal,
            clock,
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
        if let Err(complaint) = &version.traits.limits {
            return Err(StartError::Broken(complaint.clone()));
        }
        if let Some(egress) = version.traits.egress() {
            reach::check(&self.config, egress).map_err(StartError::Broken)?;
        }
        let known = self.find_packages(&version).await;
        loop {
            let own = self.wants_its_own(&version);
            let waiting = if own { None } else { self.stock.take() };
            let slot = match waiting {
                Some(slot) => slot,
                None => self.spawn_slot(&version).await?,
            };
            match slot.assign(self, &version).await {
                Ok(worker) => {
                    self.crowd.join(&worker.process.gate);
                    return Ok(Arc::new(worker));
                }
                // It died while it waited; the stock runs out of such slots.
                Err(slot::AssignError::SlotLost) => {}
                Err(slot::AssignError::Start(StartError::Broken(said)))
                    if version.packages.get().is_none()
                        && version.traits.show(Sign::Packages)
                        && lacks_package(&said) =>
                {
                    // Others than were deployed must not be taken.
                    known.as_ref().map_err(|error| {
                        StartError::Unavailable(common::error::chain(&**error).into())
                    })?;
                    if !self.fetch_packages(&version).await? {
                        return Err(StartError::Broken(said));
                    }
                }
                Err(slot::AssignError::Start(error)) => return Err(error),
            }
        }
    }

    /// Finds what `version` had of packages when it was deployed.
    async fn find_packages(&self, version: &Version) -> Result<(), BoxError> {
        if !version.traits.show(Sign::Packages) || version.packages.get().is_some() {
            return Ok(());
        }
        let (name, id, entry) = (&version.function, &version.id, &version.entry);
        if let Some(tree) = self.packages.find(name, id, entry).await? {
            let _ = version.packages.set(tree);
        }
        Ok(())
    }

    /// Room for one more process. Where as many run as may, idle ones end, the longest idle first.
    async fn room(&self) -> Result<OwnedSemaphorePermit, StartError> {
        let deadline = Instant::now() + PATIENCE;
        let mut acquired = pin!(Arc::clone(&self.room).acquire_owned());
        if let Some(acquired) = acquired.as_mut().now_or_never() {
            return acquired.map_err(|_| StartError::Full);
        }
        let waiter = self.queue.join();
        while Instant::now() < deadline {
            waiter.make_way(|| self.crowd.make_way() || self.stock.discard());
            if let Ok(acquired) = timeout(LOOK, acquired.as_mut()).await {
                return acquired.map_err(|_| StartError::Full);
            }
        }
        Err(StartError::Full)
    }

    /// Whether no process that waits for any function will do.
    fn wants_its_own(&self, version: &Version) -> bool {
        let traits = &version.traits;
        version.packages.get().is_some()
            || traits.config.is_some()
            || self.database(traits).is_some()
    }

    /// The database, for code that may connect to it.
    fn database(&self, traits: &Traits) -> Option<&Endpoint> {
        let database = self.config.database.as_ref();
        database.filter(|_| traits.show(Sign::Database))
    }

    /// Fetches what a version of the folder imports; says whether there was something.
    async fn fetch_packages(&self, version: &Arc<Version>) -> Result<bool, StartError> {
        let fetching = async { self.bench_of(version).await?.fetch_packages().await };
        let fetched = fetching.await.map_err(StartError::Unavailable)?;
        let tree = match fetched {
            Fetched::Tree(Some(tree)) => tree,
            Fetched::Tree(None) => return Ok(false),
            Fetched::Refused(said) => return Err(StartError::Broken(said)),
        };
        if let Err(error) = self.packages.note(version, &tree).await {
            let error = common::error::chain(&*error);
            tracing::warn!(function = %version.function, error, "a version's packages were not written down");
        }
        Ok(version.packages.set(tree).is_ok())
    }
}

/// Whether Deno's complaint is that something it may not fetch is not there.
fn lacks_package(said: &str) -> bool {
    ["--cached-only", "not found in cache", "not cached"]
        .iter()
        .any(|words| said.contains(words))
}

impl Runtime for DenoRuntime {
    fn start(&self, version: Arc<Version>) -> BoxFuture<'_, Result<Arc<dyn Worker>, StartError>> {
        self.start_version(version).boxed()
    }

    fn has_room(&self) -> bool {
        self.room.available_permits() > 0 || self.stock.has_some()
    }
}

impl fmt::Debug for DenoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenoRuntime")
            .field("run", &self.run)
            .field("stock", &self.stock)
            .finish_non_exhaustive()
    }
}

impl Drop for DenoRuntime {
    fn drop(&mut self) {
        self.close();
    }
}
