//! Everything the service reads from its environment.

mod deno;
mod public_url;
mod user;

use std::path::PathBuf;
use std::time::Duration;

use common::{BoxError, Secret, Service, ServiceConfig, Settings};
use http::uri::Authority;
use jwt::{ApiKeys, JwtConfig};

use crate::domain::Limits;
use crate::sandbox::UserIdentity;
use crate::service;

pub(crate) use public_url::PublicUrl;

const MIB: u64 = 1024 * 1024;

/// The configuration of the functions service.
#[derive(Debug, Clone)]
pub struct Config {
    /// `FUNCTIONS_DIR`: where the user's functions lie.
    pub(crate) directory: PathBuf,
    /// `FUNCTIONS_ENV_FILE`: the user's secrets; `.env` in the functions folder unless set.
    pub(crate) env_file: PathBuf,
    /// `FUNCTIONS_WATCH_MILLISECONDS`: how often the folder is looked at.
    pub(crate) watch: Duration,
    /// `FUNCTIONS_VERIFY_JWT`: whether functions want a valid token unless they say otherwise.
    pub(crate) verify_jwt: bool,
    pub(crate) jwt: JwtConfig,
    pub(crate) granted: Granted,
    pub(crate) limits: Limits,
    pub(crate) processes: ProcessConfig,
}

/// What every function finds in its environment, beside the user's secrets.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) public_url: PublicUrl,
    pub(crate) keys: ApiKeys,
    pub(crate) publishable_key: Option<Secret>,
    pub(crate) secret_key: Option<Secret>,
}

/// How the processes that run functions are made.
#[derive(Debug, Clone)]
pub(crate) struct ProcessConfig {
    pub(crate) deno: PathBuf,
    /// The binary that answers to the sandbox's hidden argument: this one, unless a test says so.
    pub(crate) launcher: PathBuf,
    /// `FUNCTIONS_RUN_DIR`: holds sockets and copies of code while the service runs. Not under
    /// `DATA_DIR`: the functions' user must be able to reach it.
    pub(crate) run_directory: PathBuf,
    pub(crate) user: Option<UserIdentity>,
    /// `FUNCTIONS_WARM_SLOTS`: processes kept ready for the next function.
    pub(crate) warm: usize,
    /// `FUNCTIONS_MAX_WORKERS`: processes at most, warm ones included.
    pub(crate) most: usize,
    /// `FUNCTIONS_EGRESS_PORTS`: TCP ports functions may connect to.
    pub(crate) egress_ports: Vec<u16>,
    /// `API_INTERNAL_URL`: where the platform's API is reached from here.
    pub(crate) api: Authority,
}

impl Config {
    /// This configuration, with another binary as the sandbox's launcher. For programs that do not
    /// call [`crate::sandbox::maybe_run`] themselves, such as tests.
    #[must_use]
    pub fn with_launcher(mut self, launcher: impl Into<PathBuf>) -> Self {
        self.processes.launcher = launcher.into();
        self
    }
}

impl ServiceConfig for Config {
    const NAME: &'static str = "functions";
    const PORT: u16 = 8090;

    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let directory = settings.path("FUNCTIONS_DIR", "./functions");
        let env_file = settings
            .text("FUNCTIONS_ENV_FILE")
            .map_or_else(|| directory.join(".env"), PathBuf::from);
        let watch = settings.parsed_or("FUNCTIONS_WATCH_MILLISECONDS", 1000_u64);
        let verify_jwt = settings.flag("FUNCTIONS_VERIFY_JWT", true);
        let jwt = JwtConfig::from_settings(settings);
        let granted = granted(settings);
        let limits = limits(settings);
        let processes = processes(settings);
        Some(Self {
            directory,
            env_file,
            watch: Duration::from_millis(watch.max(10)),
            verify_jwt,
            jwt: jwt?,
            granted: granted?,
            limits,
            processes: processes?,
        })
    }

    async fn build(self) -> Result<Service, BoxError> {
        service::build(self).await
    }
}

fn granted(settings: &Settings<'_>) -> Option<Granted> {
    let public_url = PublicUrl::from_settings(settings);
    let keys = ApiKeys::from_settings(settings);
    let optional = |name| settings.text(name).map(Secret::from);
    Some(Granted {
        public_url: public_url?,
        keys: keys?,
        publishable_key: optional("PUBLISHABLE_KEY"),
        secret_key: optional("SECRET_KEY"),
    })
}

fn limits(settings: &Settings<'_>) -> Limits {
    let seconds = |name, default| settings.seconds(name, Duration::from_secs(default));
    Limits {
        response_timeout: seconds("FUNCTIONS_TIMEOUT_SECONDS", 150),
        boot_timeout: seconds("FUNCTIONS_BOOT_SECONDS", 10),
        cpu: seconds("FUNCTIONS_CPU_SECONDS", 10),
        memory_bytes: settings
            .parsed_or("FUNCTIONS_MEMORY_MB", 150_u64)
            .saturating_mul(MIB),
        concurrency: settings.parsed_or("FUNCTIONS_MAX_CONCURRENCY", 100).max(1),
        body_bytes: settings.parsed_or("FUNCTIONS_MAX_BODY_BYTES", 50 * 1024 * 1024),
        idle: seconds("FUNCTIONS_IDLE_SECONDS", 300),
    }
}

fn processes(settings: &Settings<'_>) -> Option<ProcessConfig> {
    let deno = deno::find(settings);
    let user = user::find(settings);
    let temporary = settings.path("TMPDIR", "/tmp");
    let run_directory = settings
        .text("FUNCTIONS_RUN_DIR")
        .map_or(temporary, PathBuf::from);
    let warm = settings.parsed_or("FUNCTIONS_WARM_SLOTS", 1);
    let most = settings.parsed_or("FUNCTIONS_MAX_WORKERS", 100);
    if most <= warm {
        settings.reject(
            "FUNCTIONS_MAX_WORKERS",
            "leaves no process for a function: set it higher than FUNCTIONS_WARM_SLOTS",
        );
    }
    let egress_ports = egress_ports(settings);
    let api = public_url::internal(settings);
    Some(ProcessConfig {
        deno: deno?,
        launcher: PathBuf::from("/proc/self/exe"),
        run_directory,
        user: user?.user(),
        warm,
        most,
        egress_ports,
        api: api?,
    })
}

fn egress_ports(settings: &Settings<'_>) -> Vec<u16> {
    const NAME: &str = "FUNCTIONS_EGRESS_PORTS";
    if settings.text(NAME).is_none() {
        return vec![80, 443];
    }
    let ports: Result<Vec<u16>, _> = settings
        .list(NAME)
        .iter()
        .map(|port| port.parse())
        .collect();
    ports.unwrap_or_else(|_| {
        settings.reject(
            NAME,
            "is not a list of ports: use numbers with commas between them",
        );
        Vec::new()
    })
}
