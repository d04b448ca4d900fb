//! An instance of the platform on a fresh data directory, as `./start.sh` would run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Environment as _, EnvironmentMap, Secret, Settings};
use jwt::{JwtConfig, Signer};
use pg::local::SOCKETS;
use pg::{Endpoint, PoolOptions, roles, sqlx};
use tempfile::TempDir;
use testkit::fault::free_port;

use super::child::Program;

/// Appended to Postgres' settings before its first start: what it logs can be read.
const LOG_SETTINGS: &str = "
logging_collector = on
log_destination = 'jsonlog'
log_directory = 'log'
log_filename = 'postgres.log'
";

pub(crate) struct Instance {
    pub(crate) settings: EnvironmentMap,
    pub(crate) server: Program,
    // Last, so that it outlives what writes there.
    home: TempDir,
}

impl Instance {
    /// Makes one with the programs in `programs`, and waits until it is ready.
    pub(crate) async fn start(programs: &Path) -> Self {
        Self::start_with(programs, "").await
    }

    /// The same with further lines in its env file.
    pub(crate) async fn start_with(programs: &Path, settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        open_to_others(home.path());
        let file = home.path().join("env");
        fs::write(&file, environment(home.path()) + settings).expect("an env file");
        let selfdb = programs.join("selfdb");
        let run = |words: &[&str]| {
            let mut command = Command::new(&selfdb);
            command.args(words).arg("--env-file").arg(&file);
            command
        };
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
        succeed(run(&["env", "--example", example]));
        succeed(run(&["init"]));
        let settings = EnvironmentMap::from_file(&file).expect("the env file");
        let conf = home.path().join("data/postgres/selfdb.conf");
        let text = fs::read_to_string(&conf).expect("Postgres' settings");
        fs::write(&conf, text + LOG_SETTINGS).expect("Postgres' settings");
        let server = Program::start(run(&["serve"]), &home.path().join("selfdb.log"));
        let mut instance = Self {
            settings,
            server,
            home,
        };
        let ready = format!("{}/ready", instance.address("API_PORT"));
        instance.server.answers(&ready).await;
        instance
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Where Postgres' socket is: our service talks through it, and so do those compared with it.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.home.path().join("data").join(SOCKETS)
    }

    pub(crate) fn setting(&self, name: &str) -> String {
        self.settings.var(name).expect(name)
    }

    pub(crate) fn address(&self, port: &str) -> String {
        format!("http://127.0.0.1:{}", self.setting(port))
    }

    /// Where `login` connects, with the password that is the setting `password`.
    pub(crate) fn endpoint(&self, login: &str, password: &str) -> Endpoint {
        let url = format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.setting("POSTGRES_PORT")
        );
        let endpoint = Endpoint::from_url(&url).expect("a URL");
        endpoint.login(login, Some(Secret::from(self.setting(password))))
    }

    pub(crate) fn admin(&self) -> Endpoint {
        self.endpoint(roles::SUPERUSER, "POSTGRES_PASSWORD")
    }

    /// Runs statements as the superuser.
    pub(crate) async fn execute(&self, sql: &'static str) {
        let pool = pg::pool(&self.admin(), &PoolOptions::new("bench", 1));
        let done = sqlx::raw_sql(sql).execute(&pool).await;
        done.expect("statements");
        pool.close().await;
    }

    /// The postmaster's process id.
    pub(crate) fn postmaster(&self) -> u32 {
        let file = self.folder().join("data/postgres/postmaster.pid");
        let text = fs::read_to_string(file).expect("postmaster.pid");
        let pid = text.lines().next().map(str::trim).map(str::parse);
        pid.and_then(Result::ok).expect("a process id")
    }

    /// Postgres' log, once there is one.
    pub(crate) fn postgres_log(&self) -> PathBuf {
        self.folder().join("data/postgres/log/postgres.json")
    }

    pub(crate) fn signer(&self) -> (Signer, String) {
        let config = JwtConfig::from_settings(&Settings::new(&self.settings));
        let config = config.expect("JWT settings");
        (config.signer(), config.issuer)
    }
}

fn environment(home: &Path) -> String {
    let ports = [
        "API_PORT",
        "FRONTEND_PORT",
        "POSTGRES_PORT",
        "FUNCTIONS_PORT",
        "AUTH_PORT",
        "REST_PORT",
        "REALTIME_PORT",
        "STORAGE_PORT",
    ];
    let ports = ports.map(|name| (name, free_port()));
    let api = ports[0].1;
    let lines = ports.map(|(name, port)| format!("{name}={port}\n"));
    let home = home.display();
    format!(
        "{}API_EXTERNAL_URL=http://localhost:{api}\nDATA_DIR={home}/data\nFUNCTIONS_DIR={home}/functions\n",
        lines.concat()
    )
}

fn succeed(mut command: Command) {
    let output = command.output().expect("selfdb runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}

/// Postgres may run as another user.
fn open_to_others(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::Permissions::from_mode(0o711);
    fs::set_permissions(folder, mode).expect("a folder of ours");
}
