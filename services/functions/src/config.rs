//! Everything the service reads from its environment.

mod control_groups;
mod deno;
mod egress;
mod public_url;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use common::{BoxError, Secret, Service, ServiceConfig, Settings};
use http::uri::Authority;
use jwt::{ApiKeys, JwtConfig};
use pg::{Endpoint, roles};

use crate::dispatcher::QueueConfig;
use crate::domain::Limits;
use crate::journal::Retention;
use crate::sandbox::UserIdentity;
use crate::service;

pub(crate) use control_groups::ControlGroups;
pub(crate) use public_url::PublicUrl;

const MIB: u64 = 1024 * 1024;
const SECRETS_KEY: &str = "FUNCTIONS_SECRETS_KEY";
const ACCESS_TOKEN: &str = "FUNCTIONS_ACCESS_TOKEN";
const MIN_KEY_BYTES: usize = 32;

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
    /// Where the owner of schema `functions` connects.
    pub(crate) owner: Endpoint,
    /// `FUNCTIONS_LOG_DAYS`, `FUNCTIONS_LOG_LINES`: how long executions and lines are kept.
    pub(crate) retention: Retention,
    /// `FUNCTIONS_SECRETS_KEY`: what variables and webhooks' secrets are sealed with.
    pub(crate) secrets_key: Option<Secret>,
    /// `FUNCTIONS_ACCESS_TOKEN`: administers functions, where set.
    pub(crate) access_token: Option<Secret>,
    pub(crate) queue: QueueConfig,
}

/// What every function finds in its environment, beside the user's secrets.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) public_url: PublicUrl,
    pub(crate) keys: ApiKeys,
    /// What users' tokens are verified with, as a JWK set.
    pub(crate) public_keys: String,
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
    /// `FUNCTIONS_CACHE_DIR`: packages that functions import, fetched once for all of them.
    pub(crate) packages: PathBuf,
    pub(crate) user: Option<UserIdentity>,
    /// `FUNCTIONS_CGROUP`: where each process has a control group.
    pub(crate) control_groups: ControlGroups,
    /// `FUNCTIONS_WARM_SLOTS`: processes kept ready for the next function.
    pub(crate) warm: usize,
    /// `FUNCTIONS_MAX_WORKERS`: processes at most, warm ones included.
    pub(crate) most: usize,
    /// `FUNCTIONS_EGRESS_PORTS`: TCP ports functions may connect to.
    pub(crate) egress_ports: Vec<u16>,
    /// `FUNCTIONS_EGRESS_IPV6`: whether functions reach the internet by IPv6, too.
    pub(crate) egress_ipv6: bool,
    /// `FUNCTIONS_EGRESS_PRIVATE`: places in private networks that functions reach which name them.
    pub(crate) egress_private: Vec<SocketAddr>,
    /// `FUNCTIONS_DATABASE_ACCESS`: where functions that name `SUPABASE_DB_URL` connect, as a role
    /// of their own; `None` where none may.
    pub(crate) database: Option<Endpoint>,
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
        let granted = granted(settings, jwt.as_ref());
        let limits = limits(settings);
        let owner = Endpoint::from_settings(settings, "FUNCTIONS", roles::FUNCTIONS_ADMIN);
        let processes = processes(settings, owner.as_ref());
        let retention = Retention {
            days: settings.parsed_or("FUNCTIONS_LOG_DAYS", 7),
            lines: settings.parsed_or("FUNCTIONS_LOG_LINES", 1_000_000),
        };
        let optional = |name| {
            let set = settings.text(name);
            set.and_then(|_| settings.secret(name, MIN_KEY_BYTES))
        };
        let secrets_key = optional(SECRETS_KEY);
        let access_token = optional(ACCESS_TOKEN);
        Some(Self {
            directory,
            env_file,
            watch: Duration::from_millis(watch.max(10)),
            verify_jwt,
            jwt: jwt?,
            granted: granted?,
            limits,
            processes: processes?,
            owner: owner?,
            retention,
            secrets_key,
            access_token,
            queue: queue(settings),
        })
    }

    async fn build(self) -> Result<Service, BoxError> {
        Box::pin(service::build(self)).await
    }
}

fn granted(settings: &Settings<'_>, jwt: Option<&JwtConfig>) -> Option<Granted> {
    let public_url = PublicUrl::from_settings(settings);
    let keys = ApiKeys::from_settings(settings);
    let optional = |name| settings.text(name).map(Secret::from);
    Some(Granted {
        public_url: public_url?,
        keys: keys?,
        public_keys: jwt?.public_keys().to_string(),
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
        log_lines_per_second: settings.parsed_or("FUNCTIONS_LOG_RATE", 100),
        idle: seconds("FUNCTIONS_IDLE_SECONDS", 300),
        processes: settings
            .parsed_or("FUNCTIONS_MAX_PROCESSES", processors())
            .max(1),
    }
}

/// How many processes can work at the same time here.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn processes(settings: &Settings<'_>, owner: Option<&Endpoint>) -> Option<ProcessConfig> {
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
    let egress_ports = egress::ports(settings);
    let egress_private = egress::private(settings);
    let api = public_url::internal(settings);
    Some(ProcessConfig {
        deno: deno?,
        launcher: PathBuf::from("/proc/self/exe"),
        run_directory,
        packages: packages(settings),
        user: user?.user(),
        control_groups: control_groups::find(settings),
        warm,
        most,
        egress_ports,
        egress_ipv6: settings.flag("FUNCTIONS_EGRESS_IPV6", false),
        egress_private,
        database: owner.and_then(|owner| client(settings, owner)),
        api: api?,
    })
}

/// The functions' own login beside the owner's, which the bootstrap made; a socket's folder cannot
/// be reached from a sandbox.
fn client(settings: &Settings<'_>, owner: &Endpoint) -> Option<Endpoint> {
    let wanted = settings.flag("FUNCTIONS_DATABASE_ACCESS", true);
    let client = owner.derived(roles::FUNCTION_CLIENT);
    Some(client).filter(|_| wanted && owner.password.is_some() && !owner.host.starts_with('/'))
}

fn queue(settings: &Settings<'_>) -> QueueConfig {
    let seconds = |name, default| settings.seconds(name, Duration::from_secs(default));
    QueueConfig {
        look: Duration::from_millis(
            settings
                .parsed_or("FUNCTIONS_QUEUE_MILLISECONDS", 500)
                .max(10),
        ),
        lease: seconds("FUNCTIONS_LEASE_SECONDS", 15).max(Duration::from_secs(1)),
        attempts: settings.parsed_or("FUNCTIONS_MAX_ATTEMPTS", 5).max(1),
        pause: Duration::from_millis(settings.parsed_or("FUNCTIONS_RETRY_MILLISECONDS", 2_000)),
    }
}

/// `FUNCTIONS_CACHE_DIR`, or `functions` beside what `start.sh` has fetched.
fn packages(settings: &Settings<'_>) -> PathBuf {
    if let Some(path) = settings.text("FUNCTIONS_CACHE_DIR") {
        return PathBuf::from(path);
    }
    let home = settings.text("HOME").map(PathBuf::from);
    let own = home.filter(|_| !rustix::process::geteuid().is_root());
    let own = own.map(|home| home.join(".cache/selfdb"));
    let set = settings.text("SELFDB_CACHE_DIR").map(PathBuf::from);
    set.or(own)
        .unwrap_or_else(|| PathBuf::from("/var/cache/selfdb"))
        .join("functions")
}
