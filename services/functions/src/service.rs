//! Putting the service together.

use std::sync::Arc;
use std::time::Duration;

use common::{BoxError, Check, Service, ServiceConfig as _, SystemClock, SystemRandomness, Task};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::routes::{self, AppState};
use crate::runtime::deno::DenoRuntime;
use crate::sandbox;
use crate::source::{Snapshots, Source};

/// How often a shutdown looks for workers that have become idle.
const SHUTDOWN_LOOK: Duration = Duration::from_millis(50);

/// The service of `config`: its functions are known, none runs yet.
pub(crate) async fn build(config: Config) -> Result<Service, BoxError> {
    if !sandbox::landlock_is_enforced() {
        tracing::warn!(
            "this kernel has no Landlock (or too old a one): functions are kept from files and ports by Deno's permissions alone"
        );
    }
    let runtime = Arc::new(DenoRuntime::new(
        config.processes,
        config.granted,
        config.limits,
        &SystemRandomness,
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
        config.verify_jwt,
    ));
    catalog.refresh().await;
    let state = Arc::new(AppState {
        catalog: Arc::clone(&catalog),
        verifier: config.jwt.verifier(Arc::new(SystemClock)),
        body_bytes: config.limits.body_bytes,
    });
    Ok(Service {
        name: Config::NAME,
        router: routes::router(state),
        tasks: tasks(&catalog, &runtime, config.watch),
        checks: vec![starts_processes(&runtime)],
    })
}

fn tasks(catalog: &Arc<Catalog>, runtime: &Arc<DenoRuntime>, watch: Duration) -> Vec<Task> {
    let watched = Arc::clone(catalog);
    let stocked = Arc::clone(runtime);
    let guarded = Arc::clone(runtime);
    let (ended, catalog) = (Arc::clone(runtime), Arc::clone(catalog));
    vec![
        Task::new("watch", move |shutdown| {
            let catalog = Arc::clone(&watched);
            async move {
                shutdown
                    .run_until_cancelled(keep_fresh(&catalog, watch))
                    .await;
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
