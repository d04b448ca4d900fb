//! `selfdb serve`: the platform.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use common::environment::{EnvironmentMap, Overlay};
use common::error::BoxError;
use common::lifecycle::Lifecycle;
use common::server::{self, ServerLimits};
use common::{Settings, bootstrap, metrics};

use crate::cli::EnvArgs;
use crate::config::{self, Listeners, PlatformConfig, ServeConfig};
use crate::database::Database;
use crate::{console, probe, processes, single};

const READY_POLL: Duration = Duration::from_millis(50);

/// Runs until it is told to stop.
pub fn run(args: &EnvArgs) -> ExitCode {
    super::block_on(serve(args.env_file.as_deref()))
}

async fn serve(env_file: Option<&Path>) -> Result<(), BoxError> {
    let environment = super::environment(env_file)?;
    let derived = config::derived(&environment);
    let values: EnvironmentMap = environment.0.iter().chain(derived.iter()).collect();
    let environment = Overlay(derived, environment);
    let settings = Settings::new(&environment);
    let config = ServeConfig::from_settings(&settings);
    let config = settings.finish(config)?;

    config.telemetry.install();
    metrics::install();
    bootstrap::raise_descriptor_limit();
    let lifecycle = Lifecycle::new();
    let ready_file = config.platform.data_dir.join("selfdb.ready");
    let _ = fs::remove_file(&ready_file);
    let ready_url = config.platform.ready_url.clone();
    let database = Database::open(config.database).await?;
    let started = Box::pin(start(&database, config.platform, &values, &lifecycle)).await;
    if started.is_ok() {
        lifecycle.spawn(announce(ready_url, ready_file));
    } else {
        lifecycle.begin_shutdown();
    }
    lifecycle
        .run_until_shutdown(bootstrap::SHUTDOWN_GRACE)
        .await?;
    // Last, so that what was in flight could still be committed.
    database.close().await;
    started
}

async fn start(
    database: &Database,
    config: PlatformConfig,
    values: &EnvironmentMap,
    lifecycle: &Lifecycle,
) -> Result<(), BoxError> {
    database.prepare().await?;
    let console = match config.listeners {
        Listeners::Single {
            api,
            console,
            functions,
        } => {
            Box::pin(single::start(config.services, api, functions, lifecycle)).await?;
            console
        }
        Listeners::Processes { console } => {
            processes::start(values, lifecycle)?;
            console
        }
    };
    let router = console::router(&config.api_url, config.ready_url);
    let limits = ServerLimits::default();
    lifecycle.spawn(server::serve(
        console.into_tokio()?,
        router,
        limits,
        lifecycle.clone(),
    ));
    lifecycle.spawn(bootstrap::upkeep(lifecycle.soft()));
    Ok(())
}

/// Waits until the gateway says that everything answers, then leaves this process's number in
/// `ready_file`: `start.sh` knows by it that it was this instance that answered.
async fn announce(ready_url: String, ready_file: PathBuf) {
    while !probe::get(&ready_url)
        .await
        .is_ok_and(|(status, _)| status.is_success())
    {
        tokio::time::sleep(READY_POLL).await;
    }
    tracing::info!("ready");
    if let Err(error) = fs::write(&ready_file, format!("{}\n", std::process::id())) {
        tracing::warn!(%error, file = %ready_file.display(), "cannot be written");
    }
}
