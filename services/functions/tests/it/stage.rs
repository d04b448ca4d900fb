//! A functions folder and the service over it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{
    Clock as _, Environment as _, EnvironmentMap, ProcessEnvironment, Settings, SystemClock,
};
use functions::Config;
use http::Method;
use jwt::{ApiKey, JwtConfig, mint_key_token};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{TestDatabase, TestRequest, TestService};
use tokio::time::{Instant, sleep};

const SECRET: &str = "a-secret-of-the-tests-with-48-characters-in-it-1";
/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(20);

/// The binary that the sandbox is started with.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_selfdb-functions");

/// The service's folders and settings, before it is started.
pub(crate) struct Stage {
    pub(crate) environment: EnvironmentMap,
    functions: TempDir,
    run: TempDir,
    database: Option<TestDatabase>,
}

/// The running service.
pub(crate) struct Functions {
    pub(crate) service: TestService,
    pub(crate) stage: Stage,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let functions = tempfile::tempdir().expect("a folder");
        let reachable = fs::Permissions::from_mode(0o711);
        let run = tempfile::Builder::new()
            .permissions(reachable)
            .tempdir()
            .expect("a folder");
        let mut environment = EnvironmentMap::default()
            .with("JWT_SECRET", SECRET)
            .with("API_EXTERNAL_URL", "http://localhost:8000")
            .with("PUBLISHABLE_KEY", "sb_publishable_0123456789abcdefghij")
            .with("SECRET_KEY", "sb_secret_0123456789abcdefghij")
            .with("FUNCTIONS_DIR", functions.path().display().to_string())
            .with("FUNCTIONS_RUN_DIR", run.path().display().to_string())
            .with(
                "FUNCTIONS_SECRETS_KEY",
                "a-key-of-the-tests-with-some-43-characters-x",
            )
            .with("FUNCTIONS_QUEUE_MILLISECONDS", "50")
            .with("FUNCTIONS_RETRY_MILLISECONDS", "20")
            .with("FUNCTIONS_LEASE_SECONDS", "2")
            .with("FUNCTIONS_WATCH_MILLISECONDS", "50");
        for name in ["DENO_BIN", "HOME", "PATH", "SELFDB_CACHE_DIR"] {
            if let Some(value) = ProcessEnvironment.var(name) {
                environment.set(name, value);
            }
        }
        for (name, key) in [
            ("ANON_KEY", ApiKey::Anon),
            ("SERVICE_ROLE_KEY", ApiKey::ServiceRole),
        ] {
            environment.set(name, token(&environment, key));
        }
        Self {
            environment,
            functions,
            run,
            database: None,
        }
    }

    /// With a setting.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.set(name, value);
        self
    }

    /// With a file in the functions folder.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// With a function in SelfDB's format whose body is `body`.
    pub(crate) fn function(self, name: &str, body: &str) -> Self {
        let text = format!("export default async function handler(req, ctx) {{ {body} }}");
        self.file(&format!("{name}.ts"), &text)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.functions.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.functions.path().join(path)).expect("removed");
    }

    pub(crate) fn key(&self, name: &str) -> String {
        self.environment.var(name).expect("a key")
    }

    pub(crate) fn config(&self) -> Config {
        testkit::config::<Config>(&self.environment).with_launcher(BINARY)
    }

    /// With a database of its own, where it has none yet.
    pub(crate) async fn prepared(mut self) -> Self {
        if self.database.is_none() {
            let database = TestDatabase::new(&[functions::MIGRATIONS]).await;
            let settings = database.settings();
            let of_postgres =
                |name: &str| name.starts_with("POSTGRES_") || name.ends_with("_DB_PASSWORD");
            for (name, value) in settings.iter().filter(|(name, _)| of_postgres(name)) {
                self.environment.set(name, value);
            }
            self.database = Some(database);
        }
        self
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("a prepared stage")
    }

    /// The service, asked in process.
    pub(crate) async fn start(self) -> Functions {
        let this = Box::pin(self.prepared()).await;
        let service = Box::pin(TestService::start(this.config())).await;
        Functions {
            service,
            stage: this,
        }
    }

    /// The service, asked over a socket.
    pub(crate) async fn listen(self) -> Functions {
        let this = Box::pin(self.prepared()).await;
        let service = Box::pin(TestService::listen(this.config())).await;
        Functions {
            service,
            stage: this,
        }
    }

    /// The processes that run out of this stage's folder: `(pid, name of the program)`.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        let folder = self.run.path().display().to_string();
        let entries = Path::new("/proc").read_dir().expect("/proc");
        let pids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: i32| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            let program = line.split('\0').next()?.to_owned();
            line.contains(&folder).then_some((pid, program))
        })
        .collect()
    }

    /// The Deno that runs them, once one does.
    pub(crate) fn deno(&self) -> Option<PathBuf> {
        let processes = self.processes();
        let (pid, _) = processes.iter().find(|(_, program)| program == "deno")?;
        fs::read_link(format!("/proc/{pid}/exe")).ok()
    }

    /// Whether `pid` is one of them.
    pub(crate) fn runs(&self, pid: &Value) -> bool {
        self.processes().iter().any(|(each, _)| pid == each)
    }

    /// What is left of the run directory.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let entries = self.run.path().read_dir().expect("the folder").flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

impl Functions {
    /// A request with the anon key.
    pub(crate) fn get(&self, path: &str) -> TestRequest {
        self.service.get(path).bearer(&self.stage.key("ANON_KEY"))
    }

    /// A request with the anon key.
    pub(crate) fn post(&self, path: &str) -> TestRequest {
        self.service.post(path).bearer(&self.stage.key("ANON_KEY"))
    }

    /// A request of an administrator.
    pub(crate) fn admin(&self, method: Method, path: &str) -> TestRequest {
        let key = self.stage.key("SERVICE_ROLE_KEY");
        self.service.request(method, path).bearer(&key)
    }

    /// The JSON that an administrator is answered.
    pub(crate) async fn admin_json(&self, path: &str) -> Value {
        self.admin(Method::GET, path)
            .await
            .expect_status(200)
            .json()
    }

    /// The JSON that `GET path` answers.
    pub(crate) async fn json(&self, path: &str) -> Value {
        self.get(path).await.expect_status(200).json()
    }
}

/// Asks `question` until it has an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(question: impl Fn() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "it did not come to that in time");
        sleep(Duration::from_millis(20)).await;
    }
}

fn token(environment: &EnvironmentMap, key: ApiKey) -> String {
    let settings = Settings::new(environment);
    let config = JwtConfig::from_settings(&settings).expect("settings for tokens");
    mint_key_token(&config.signer(), key, SystemClock.now())
}
