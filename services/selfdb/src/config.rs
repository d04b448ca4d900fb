//! The configuration of the whole platform: the operator's env file, what follows from it, and
//! each service's own share of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use common::environment::{Environment, EnvironmentMap};
use common::telemetry::TelemetryConfig;
use common::{Secret, ServiceConfig as _, Settings};
use pg::bootstrap::RolePasswords;
use pg::local::SOCKETS;
use pg::{Endpoint, Migrations, roles};

use crate::listeners::{self, Bound};

/// Every port of one instance, with its default.
pub const PORTS: [(&str, u16); 8] = [
    ("API_PORT", 8000),
    ("FRONTEND_PORT", 3000),
    ("POSTGRES_PORT", pg::endpoint::DEFAULT_PORT),
    ("FUNCTIONS_PORT", functions::Config::PORT),
    ("AUTH_PORT", auth::Config::PORT),
    ("REST_PORT", rest::Config::PORT),
    ("REALTIME_PORT", realtime::Config::PORT),
    ("STORAGE_PORT", storage::Config::PORT),
];

/// Shorter admin passwords are refused, in bytes.
const MIN_ADMIN_PASSWORD_BYTES: usize = 10;

/// What the operator left out and the rest of the file decides.
pub fn derived(environment: &dyn Environment) -> EnvironmentMap {
    let settings = Settings::new(environment);
    let mut derived = EnvironmentMap::default();
    let mut default = |name: &str, value: String| {
        if settings.text(name).is_none() {
            derived.set(name, value);
        }
    };
    let api = format!("http://localhost:{}", settings.text_or("API_PORT", "8000"));
    default("API_EXTERNAL_URL", api);
    let site = format!(
        "http://localhost:{}",
        settings.text_or("FRONTEND_PORT", "3000")
    );
    default("SITE_URL", site);
    let root = rustix::process::geteuid().is_root();
    let data = if root { "/var/lib/selfdb" } else { "./data" };
    default("DATA_DIR", data.to_owned());
    let external = settings.text("DATABASE_URL");
    if external.is_none() {
        let sockets = Path::new(&settings.text_or("DATA_DIR", data)).join(SOCKETS);
        let sockets = std::path::absolute(&sockets).unwrap_or(sockets);
        default("POSTGRES_SOCKET_DIR", sockets.display().to_string());
    }
    if let Some(Ok(endpoint)) = external.map(|url| Endpoint::from_url(&url)) {
        default("POSTGRES_HOST", endpoint.host);
        derived.set("POSTGRES_PORT", endpoint.port.to_string());
        derived.set("POSTGRES_DB", endpoint.database);
        derived.set("POSTGRES_SSLMODE", endpoint.tls.as_str());
    }
    derived
}

/// Where the database is, and what prepares it.
#[derive(Debug)]
pub struct DatabaseConfig {
    /// Where the superuser connects.
    pub admin: Endpoint,
    /// The folder of a Postgres of our own; `None` where the operator runs one.
    pub local: Option<pg::local::LocalConfig>,
    /// The passwords of the roles that log in.
    pub passwords: RolePasswords,
    /// Each service's schema, and the role that owns and migrates it.
    pub schemas: Vec<(Endpoint, Migrations)>,
    /// The auth service, which makes the first user.
    pub auth: auth::Config,
    /// The first user.
    pub first_admin: FirstAdmin,
}

/// The user that is made at the first start.
#[derive(Debug)]
pub struct FirstAdmin {
    /// Signs in with this e-mail address.
    pub email: String,
    /// And this password, which may be changed afterwards.
    pub password: Secret,
}

impl DatabaseConfig {
    /// `DATABASE_URL`, or a local Postgres under `DATA_DIR`.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let external = settings.text("DATABASE_URL").is_some();
        let admin = Endpoint::admin_from_settings(settings);
        let passwords = RolePasswords::from_settings(settings);
        let local = (!external).then(|| pg::local::LocalConfig::from_settings(settings));
        let email = settings.required_text("DEFAULT_ADMIN_EMAIL");
        let password = settings.secret("DEFAULT_ADMIN_PASSWORD", MIN_ADMIN_PASSWORD_BYTES);
        let local = match local {
            Some(local) => Some(local?),
            None => None,
        };
        let auth = auth::Config::from_settings(settings);
        Some(Self {
            admin: admin?,
            local,
            passwords: passwords?,
            schemas: schemas(settings)?,
            auth: auth?,
            first_admin: FirstAdmin {
                email: email?,
                password: password?,
            },
        })
    }
}

/// The schemas that services own, in an order in which each finds what it refers to.
fn schemas(settings: &Settings<'_>) -> Option<Vec<(Endpoint, Migrations)>> {
    let owned = [
        ("AUTH", roles::AUTH_ADMIN, auth::MIGRATIONS),
        ("STORAGE", roles::STORAGE_ADMIN, storage::MIGRATIONS),
        ("REALTIME", roles::REALTIME_ADMIN, realtime::MIGRATIONS),
        ("FUNCTIONS", roles::FUNCTIONS_ADMIN, functions::MIGRATIONS),
    ];
    let endpoint = |(prefix, role, migrations)| {
        Some((Endpoint::from_settings(settings, prefix, role)?, migrations))
    };
    owned.into_iter().map(endpoint).collect()
}

/// What `selfdb init` needs.
#[derive(Debug)]
pub struct InitConfig {
    /// The log.
    pub telemetry: TelemetryConfig,
    /// The database.
    pub database: DatabaseConfig,
}

impl InitConfig {
    /// Reads the database's settings alone.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let telemetry = TelemetryConfig::from_settings(settings);
        let database = DatabaseConfig::from_settings(settings)?;
        Some(Self {
            telemetry,
            database,
        })
    }
}

/// The configuration of each service.
#[derive(Debug)]
pub struct Services {
    /// `/auth/v1`.
    pub auth: auth::Config,
    /// `/rest/v1`.
    pub rest: rest::Config,
    /// `/realtime/v1`.
    pub realtime: realtime::Config,
    /// `/storage/v1`.
    pub storage: storage::Config,
    /// `/functions/v1`.
    pub functions: functions::Config,
    /// What stands before them.
    pub gateway: gateway::Config,
}

impl Services {
    /// Every service's configuration; all mistakes of all of them are gathered.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let auth = auth::Config::from_settings(settings);
        let rest = rest::Config::from_settings(settings);
        let realtime = realtime::Config::from_settings(settings);
        let storage = storage::Config::from_settings(settings);
        let functions = functions::Config::from_settings(settings);
        let gateway = gateway::Config::from_settings(settings);
        Some(Self {
            auth: auth?,
            rest: rest?,
            realtime: realtime?,
            storage: storage?,
            functions: functions?,
            gateway: gateway?,
        })
    }
}

/// How the services run, and what this process listens on itself for it.
#[derive(Debug)]
pub enum Listeners {
    /// All services in this process.
    Single {
        /// The gateway's.
        api: Bound,
        /// The console's.
        console: Bound,
        /// The functions' health, on loopback.
        functions: Bound,
    },
    /// The gateway and each service as a process of its own, with listeners of its own.
    Processes {
        /// The console's.
        console: Bound,
    },
}

/// What `selfdb serve` needs.
#[derive(Debug)]
pub struct ServeConfig {
    /// The log.
    pub telemetry: TelemetryConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Everything that stands on it.
    pub platform: PlatformConfig,
}

/// What stands on the database.
#[derive(Debug)]
pub struct PlatformConfig {
    /// Each service.
    pub services: Services,
    /// One process or many, and what is bound already.
    pub listeners: Listeners,
    /// Where the gateway is asked for its health.
    pub ready_url: String,
    /// What the console says the gateway's address is.
    pub api_url: String,
    /// Where the instance keeps everything.
    pub data_dir: PathBuf,
}

impl ServeConfig {
    /// Reads everything, and binds the ports so that a taken one is an error beside the others.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let telemetry = TelemetryConfig::from_settings(settings);
        let database = DatabaseConfig::from_settings(settings);
        let services = Services::from_settings(settings);
        let data_dir = settings.path("DATA_DIR", "./data");
        check_ports_differ(settings);
        if settings.text("DATABASE_URL").is_none() && !postmaster_runs(&data_dir) {
            let (name, default) = PORTS[2];
            listeners::probe(settings, IpAddr::V4(Ipv4Addr::LOCALHOST), name, default);
        }
        let listeners = bind(settings);
        let platform = PlatformConfig {
            services: services?,
            listeners: listeners?,
            ready_url: ready_url(settings),
            api_url: settings.text_or("API_EXTERNAL_URL", "http://localhost:8000"),
            data_dir,
        };
        Some(Self {
            telemetry,
            database: database?,
            platform,
        })
    }
}

/// Where the gateway of these settings says whether everything answers.
pub fn ready_url(settings: &Settings<'_>) -> String {
    let host = settings.parsed_or("API_HOST", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let host = if host.is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        host
    };
    format!(
        "http://{}/ready",
        SocketAddr::new(host, settings.port("API_PORT", 8000))
    )
}

/// Reads `SELFDB_MODE` and binds what it needs. With processes the other ports are only looked at:
/// each process binds its own.
fn bind(settings: &Settings<'_>) -> Option<Listeners> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let host = settings.parsed_or("API_HOST", loopback);
    let console = listeners::bind(settings, host, "FRONTEND_PORT", 3000);
    match settings.text_or("SELFDB_MODE", "single").as_str() {
        "processes" => {
            listeners::probe(settings, host, "API_PORT", 8000);
            for (name, default) in &PORTS[3..] {
                listeners::probe(settings, loopback, name, *default);
            }
            Some(Listeners::Processes { console: console? })
        }
        mode => {
            if mode != "single" {
                settings.reject("SELFDB_MODE", "is not known: use single or processes");
            }
            let api = listeners::bind(settings, host, "API_PORT", 8000);
            let (name, default) = PORTS[3];
            let functions = listeners::bind(settings, loopback, name, default);
            Some(Listeners::Single {
                api: api?,
                console: console?,
                functions: functions?,
            })
        }
    }
}

fn check_ports_differ(settings: &Settings<'_>) {
    let mut seen = BTreeSet::new();
    for (name, default) in PORTS {
        let port = settings.port(name, default);
        if !seen.insert(port) {
            settings.reject(
                name,
                format!("is {port}, as another port is: choose one of its own"),
            );
        }
    }
}

/// Whether a postmaster of this data directory still runs, left by an instance that was killed:
/// it holds the port, and is taken over.
fn postmaster_runs(data_dir: &Path) -> bool {
    let text = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid"));
    let pid = text
        .ok()
        .and_then(|text| text.lines().next().map(str::to_owned));
    pid.is_some_and(|pid| Path::new("/proc").join(pid.trim()).exists())
}
