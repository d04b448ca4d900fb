//! What a service's own binary does: read configuration, build, listen, serve, stop.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use crate::environment::{Environment, ProcessEnvironment};
use crate::error::{BoxError, chain};
use crate::lifecycle::Lifecycle;
use crate::server::{self, ServerLimits};
use crate::service::Service;
use crate::settings::{ConfigErrors, Settings};
use crate::telemetry::TelemetryConfig;
use crate::{health, metrics};

/// The exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

/// How long requests in flight may take once a shutdown has begun.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// A service's configuration: read from settings, built into a [`Service`].
pub trait ServiceConfig: Sized {
    /// The service's name: `auth`, `rest`.
    const NAME: &'static str;
    /// The port it listens on as a process of its own, unless `<NAME>_PORT` says otherwise.
    const PORT: u16;
    /// Whether the service answers `/live` and `/ready` itself, in a form of its own.
    const ANSWERS_HEALTH: bool = false;

    /// Reads everything the service needs; mistakes are gathered in `settings`.
    fn from_settings(settings: &Settings<'_>) -> Option<Self>;

    /// Where the service listens as a process of its own.
    fn listen_address(settings: &Settings<'_>) -> SocketAddr {
        listen_address(settings, Self::NAME, Self::PORT)
    }

    /// Connects, migrates, and answers the service that can be mounted.
    fn build(self) -> impl Future<Output = Result<Service, BoxError>> + Send;
}

/// Where a service that runs as a process of its own listens: `SERVICE_HOST` (loopback unless
/// set) and `<NAME>_PORT`.
pub fn listen_address(settings: &Settings<'_>, name: &str, port: u16) -> SocketAddr {
    let host = settings.parsed_or("SERVICE_HOST", IpAddr::from([127, 0, 0, 1]));
    SocketAddr::new(
        host,
        settings.port(&format!("{}_PORT", name.to_uppercase()), port),
    )
}

/// The whole of a service's `main`.
pub fn run<C: ServiceConfig>() -> ExitCode {
    run_in::<C>(&ProcessEnvironment)
}

fn run_in<C: ServiceConfig>(environment: &dyn Environment) -> ExitCode {
    let settings = Settings::new(environment);
    let telemetry = TelemetryConfig::from_settings(&settings);
    let address = C::listen_address(&settings);
    if settings.flag("SELFDB_SUPERVISED", false) {
        stop_with_parent();
    }
    let config = C::from_settings(&settings);
    let config = match settings.finish(config) {
        Ok(config) => config,
        Err(errors) => return refuse(&errors),
    };
    telemetry.install();
    metrics::install();
    raise_descriptor_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(C::NAME, &error),
    };
    match runtime.block_on(serve(config, address)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(C::NAME, &*error),
    }
}

async fn serve<C: ServiceConfig>(config: C, address: SocketAddr) -> Result<(), BoxError> {
    let listener = server::bind(address).await?;
    let lifecycle = Lifecycle::new();
    let Service {
        name,
        router,
        tasks,
        checks,
    } = config.build().await?;
    for task in tasks {
        lifecycle.supervise(name, task);
    }
    let router = if C::ANSWERS_HEALTH {
        router
    } else {
        health::router(checks).fallback_service(router)
    };
    tracing::info!(service = name, %address, "serving");
    let serving = server::serve(listener, router, ServerLimits::default(), lifecycle.clone());
    lifecycle.spawn(serving);
    lifecycle.spawn(upkeep(lifecycle.soft()));
    lifecycle.run_until_shutdown(SHUTDOWN_GRACE).await?;
    Ok(())
}

/// Keeps the metrics' memory flat until shutdown.
pub async fn upkeep(shutdown: tokio_util::sync::CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => metrics::upkeep(),
        }
    }
}

/// Asks the kernel for SIGTERM when the supervising process is gone, however it went: what it
/// started must not keep its ports.
fn stop_with_parent() {
    use rustix::process::{Signal, set_parent_process_death_signal};
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        tracing::warn!(%error, "this process would outlive its supervisor");
    }
}

/// Raises the soft limit of open files to the hard one: sockets are what a backend is made of.
pub fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).is_err() {
        tracing::warn!("the limit of open files could not be raised");
    }
}

/// Prints every configuration error and answers exit code 78.
#[expect(
    clippy::print_stderr,
    reason = "there is no configured log yet to say it in"
)]
pub fn refuse(errors: &ConfigErrors) -> ExitCode {
    eprintln!("{errors}");
    ExitCode::from(EXIT_CONFIG)
}

fn fail(service: &'static str, error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(service, error = %chain(error), "stopped");
    ExitCode::FAILURE
}
