//! The program: what its command line asks for.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use common::bootstrap::SHUTDOWN_GRACE;
use common::server::{self, ServerLimits};
use common::telemetry::TelemetryConfig;
use common::{BoxError, Lifecycle, ProcessEnvironment, Service, Settings};

use super::access_log::LogLevel;
use super::arguments::{Arguments, Command};
use super::dump::{self, Reader};
use super::listen::{self, Door, Places, Sharing};
use super::source::{Source, SourceError};
use super::{NOTICES, admin, layers, ready, signals};
use crate::config::Config;
use crate::live::Live;
use crate::schema_cache::CacheHandle;
use crate::service;

const LOG_LEVEL: &str = "PGRST_LOG_LEVEL";

/// The whole of `main`: a service of the platform where its settings are there, else a server of
/// its own on any database.
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.is_empty() && is_of_the_platform() {
        return common::bootstrap::run::<Config>();
    }
    let done = Arguments::read(arguments)
        .map_err(BoxError::from)
        .and_then(execute);
    match done {
        Ok(code) => code,
        Err(error) => {
            complain(&common::error::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn is_of_the_platform() -> bool {
    let settings = Settings::new(&ProcessEnvironment);
    let has = |name: &str| settings.text(name).is_some();
    let logins = ["AUTHENTICATOR_DB_PASSWORD", "AUTHENTICATOR_DATABASE_URL"];
    logins.into_iter().any(has) || (has("JWT_SECRET") && !has("PGRST_JWT_SECRET"))
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn tell(text: &str) -> Result<ExitCode, BoxError> {
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn execute(arguments: Arguments) -> Result<ExitCode, BoxError> {
    if let Command::Tell(text) = arguments.command {
        return tell(text.text());
    }
    let source = Source::new(arguments.file);
    let values = source.local()?;
    let settings = Settings::new(&values.parameters);
    let places = Places::read(&settings);
    let level = log_level(&settings);
    let (places, level) = settings.finish(Some((places, level)))?;
    let config = values.config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        match arguments.command {
            Command::Run => {
                TelemetryConfig::plain(level.filter()).install();
                common::metrics::install();
                common::bootstrap::raise_descriptor_limit();
                Box::pin(serve(config, source, (places, level))).await
            }
            Command::Ready => match ready::ask(&places).await {
                Ok(url) => tell(&format!("OK: {url}\n")),
                Err(error) => Err(error.into()),
            },
            Command::DumpConfig => {
                let (_, live) = service::build(config, None)?;
                let values = source.values_with(&live.app().catalogue).await?;
                values.config()?;
                tell(&dump::config(&values, Reader::Operator))
            }
            Command::DumpSchema => dump_schema(config, source).await,
            Command::Tell(text) => tell(text.text()),
        }
    })
}

fn log_level(settings: &Settings<'_>) -> LogLevel {
    let text = settings.text_or(LOG_LEVEL, "error");
    LogLevel::of(&text).unwrap_or_else(|| {
        settings.reject(
            LOG_LEVEL,
            "is not known: use crit, error, warn, info or debug",
        );
        LogLevel::Error
    })
}

async fn dump_schema(config: Config, source: Source) -> Result<ExitCode, BoxError> {
    let (_, live) = service::build(config, None)?;
    let pool = &live.app().catalogue;
    let config = source.read_with(pool).await?;
    let cache = CacheHandle::empty();
    cache.reload(pool, &config.schemas).await?;
    let cache = cache.current().ok_or("no schema cache")?;
    tell(&format!("{}\n", dump::schema(&cache)))
}

async fn serve(
    config: Config,
    source: Source,
    (places, level): (Places, LogLevel),
) -> Result<ExitCode, BoxError> {
    notice(&format!(
        "Starting selfdb-rest {}...",
        env!("CARGO_PKG_VERSION")
    ));
    let (service, live) = service::build(config, Some(source.clone()))?;
    configure(&live, &source).await?;
    let lifecycle = Lifecycle::new();
    let Service {
        name,
        router,
        tasks,
        ..
    } = service;
    let (door, address) = places.server.open().await?;
    if let Some((host, port)) = &places.admin {
        let listener = listen::bind(host, *port, Sharing::Alone).await?;
        notice(&format!(
            "Admin server listening on {}",
            listener.local_addr()?
        ));
        let router = admin::router(live.clone(), address.clone());
        let limits = ServerLimits::default();
        lifecycle.spawn(server::serve(listener, router, limits, lifecycle.clone()));
    }
    let router = layers::surround(router, live.clone(), level);
    notice(&format!("API server listening on {address}"));
    match door {
        Door::Tcp(listener) => {
            let limits = ServerLimits::default();
            lifecycle.spawn(server::serve(listener, router, limits, lifecycle.clone()));
        }
        Door::Unix(listener) => {
            let soft = lifecycle.soft();
            lifecycle.spawn(async move {
                let serving = axum::serve(listener, router);
                // It only ends by the signal it is given.
                let _ = serving.with_graceful_shutdown(soft.cancelled_owned()).await;
            });
        }
    }
    for task in tasks {
        lifecycle.supervise(name, task);
    }
    lifecycle.supervise(name, signals::heed(&live));
    lifecycle.spawn(common::bootstrap::upkeep(lifecycle.soft()));
    let given_up = live.given_up();
    let ending = lifecycle.clone();
    let hopeless = given_up.clone();
    lifecycle.spawn(async move {
        tokio::select! {
            () = hopeless.cancelled() => ending.begin_shutdown(),
            () = ending.soft().cancelled_owned() => {}
        }
    });
    lifecycle.run_until_shutdown(SHUTDOWN_GRACE).await?;
    if given_up.is_cancelled() {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes over what the database says about the configuration. While it is away the server starts
/// with what is known, and asks again once it is there.
async fn configure(live: &Live, source: &Source) -> Result<(), BoxError> {
    match source.values_with(&live.app().catalogue).await {
        Ok(values) => {
            live.configure(values)?;
            Ok(())
        }
        Err(SourceError::Database(error)) => {
            notice(&format!(
                "Failed to query database settings for the config parameters. {}",
                common::error::chain(&error)
            ));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn notice(text: &str) {
    tracing::info!(target: NOTICES, "{text}");
}
