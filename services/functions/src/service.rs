//! Putting the service together.

use std::sync::Arc;
use std::time::Duration;

use common::{
    BoxError, Check, Clock, Service, ServiceConfig as _, SystemClock, SystemRandomness, Task,
};
use pg::sqlx::postgres::PgPool;
use pg::{Migrations, PoolOptions};
use tokio::sync::Notify;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::deployer::Deployer;
use crate::dispatcher::Dispatcher;
use crate::invoker::Invoker;
use crate::journal::{self, JournalWriter, Retention};
use crate::registry::Registry;
use crate::routes::{self, AppState};
use crate::runtime::deno::DenoRuntime;
use crate::sandbox;
use crate::source::{Snapshots, Source};
use crate::vault::Vault;

/// The schema `functions`.
pub const MIGRATIONS: Migrations = pg::migrations!(
    "functions": "0001_journal", "0002_versions", "0003_environment", "0004_triggers", "0005_events",
    "0006_lighter_journal", "0007_import_maps", "0008_packages"
);

/// Connections for everything the service keeps in Postgres; no function waits for one.
const MAX_CONNECTIONS: u32 = 6;
/// How often the journal is looked through for what is too old.
const SWEEP: Duration = Duration::from_mins(10);

/// How often it is looked whether a function has more to do than its processes can.
const REINFORCE_LOOK: Duration = Duration::from_millis(250);

/// How often a shutdown looks for workers that have become idle.
const SHUTDOWN_LOOK: Duration = Duration::from_millis(50);

/// The service of `config`: its functions are known, none runs yet.
pub(crate) async fn build(mut config: Config) -> Result<Service, BoxError> {
    if !sandbox::landlock_is_enforced() {
        // Nothing would keep them from this machine's other ports.
        config.processes.database = None;
        tracing::warn!(
            "this kernel has no Landlock (or too old a one): functions are kept from files and ports by Deno's permissions alone"
        );
    }
    let pool = pg::pool(
        &config.owner,
        &PoolOptions::new("selfdb-functions", MAX_CONNECTIONS),
    );
    MIGRATIONS.run(&pool).await?;
    let vault = config.secrets_key.as_ref().map(Vault::new);
    let registry = Registry::new(pool.clone(), vault.clone());
    let wake = Arc::new(Notify::new());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (journal, writer) = journal::open(pool.clone());
    let runtime = Arc::new(DenoRuntime::new(
        config.processes,
        config.granted,
        config.limits,
        (journal.clone(), pool.clone()),
        (Arc::clone(&clock), &SystemRandomness),
    )?);
    let snapshots = Snapshots::new(runtime.run_directory().join("versions"))?;
    let source = Source {
        directory: config.directory,
        env_file: config.env_file,
    };
    let catalog = Arc::new(Catalog::new(
        source,
        snapshots,
        Arc::clone(&runtime) as _,
        Some(registry.clone()),
        config.verify_jwt,
    ));
    catalog.refresh().await;
    let invoker = Invoker {
        catalog: Arc::clone(&catalog),
        journal,
        clock,
        randomness: Arc::new(SystemRandomness),
    };
    let dispatcher = Arc::new(Dispatcher::new(
        pool.clone(),
        invoker.clone(),
        config.queue,
        Arc::clone(&wake),
    ));
    let state = Arc::new(AppState {
        vault,
        wake,
        catalog: Arc::clone(&catalog),
        invoker,
        deployer: Deployer {
            catalog: Arc::clone(&catalog),
            runtime: Arc::clone(&runtime),
            registry,
        },
        pool: pool.clone(),
        access_token: config.access_token,
        verifier: config.jwt.verifier(Arc::new(SystemClock)),
        limits: config.limits,
    });
    Ok(Service {
        name: Config::NAME,
        router: routes::router(state),
        tasks: [
            tasks(&catalog, &runtime, config.watch),
            journal_tasks(writer, &pool, config.retention),
            vec![Task::new("dispatcher", move |shutdown| {
                Arc::clone(&dispatcher).run(shutdown)
            })],
        ]
        .concat(),
        checks: vec![starts_processes(&runtime), pg::pool::check(&pool)],
    })
}

fn tasks(catalog: &Arc<Catalog>, runtime: &Arc<DenoRuntime>, watch: Duration) -> Vec<Task> {
    let (watched, reinforced) = (Arc::clone(catalog), Arc::clone(catalog));
    let stocked = Arc::clone(runtime);
    let guarded = Arc::clone(runtime);
    let (ended, catalog) = (Arc::clone(runtime), Arc::clone(catalog));
    vec![
        Task::new("watch", move |shutdown| {
            let catalog = Arc::clone(&watched);
            async move {
                shutdown
                    .run_until_cancelled(Box::pin(keep_fresh(&catalog, watch)))
                    .await;
                Ok(())
            }
        }),
        Task::new("reinforce", move |shutdown| {
            let catalog = Arc::clone(&reinforced);
            async move {
                let looking = async {
                    loop {
                        tokio::time::sleep(REINFORCE_LOOK).await;
                        catalog.reinforce();
                    }
                };
                shutdown.run_until_cancelled(looking).await;
                Ok(())
            }
        }),
        Task::new("stock", move |shutdown| {
            let runtime = Arc::clone(&stocked);
            async move {
                runtime.keep_stock(shutdown).await;
                Ok(())
            }
        }),
        Task::new("door", move |shutdown| {
            let runtime = Arc::clone(&guarded);
            async move {
                runtime.keep_door(shutdown).await;
                Ok(())
            }
        }),
        Task::new("processes", move |shutdown| {
            let end = EndOfProcesses(Arc::clone(&ended));
            let catalog = Arc::clone(&catalog);
            async move {
                shutdown.cancelled().await;
                end.in_order(&catalog).await;
                Ok(())
            }
        }),
    ]
}

fn journal_tasks(writer: JournalWriter, pool: &PgPool, retention: Retention) -> Vec<Task> {
    let writer = Arc::new(writer);
    let pool = pool.clone();
    vec![
        Task::new("journal", move |shutdown| {
            let writer = Arc::clone(&writer);
            async move { writer.run(shutdown).await }
        }),
        Task::new("retention", move |shutdown| {
            let pool = pool.clone();
            async move {
                let sweeping = async {
                    loop {
                        let deleted = journal::sweep(&pool, retention).await?;
                        tracing::debug!(deleted, "looked through the journal");
                        tokio::time::sleep(SWEEP).await;
                    }
                };
                let swept = shutdown.run_until_cancelled(sweeping).await;
                swept.unwrap_or(Ok(()))
            }
        }),
    ]
}

async fn keep_fresh(catalog: &Arc<Catalog>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        catalog.refresh().await;
    }
}

/// Kills every process when it is dropped: also when the task that holds it is.
struct EndOfProcesses(Arc<DenoRuntime>);

impl EndOfProcesses {
    /// Lets functions finish what they are at, and ends their processes one by one.
    async fn in_order(&self, catalog: &Catalog) {
        let retire = async {
            loop {
                catalog.retire_idle();
                tokio::time::sleep(SHUTDOWN_LOOK).await;
            }
        };
        tokio::select! {
            () = self.0.drain() => {}
            () = retire => {}
        }
    }
}

impl Drop for EndOfProcesses {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Asks whether a process for the next function could be started lately.
fn starts_processes(runtime: &Arc<DenoRuntime>) -> Check {
    let runtime = Arc::clone(runtime);
    Check::new("deno", move || {
        let state = runtime.starts_processes();
        async move { state }
    })
}
