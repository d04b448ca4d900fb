//! A Postgres and the service's own binary on it, as processes that can be killed.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use common::{Environment as _, EnvironmentMap, ProcessEnvironment, Secret, Settings};
use pg::bootstrap::{self, RolePasswords};
use pg::sqlx::{self, PgPool};
use pg::{Endpoint, PoolOptions, roles};
use tempfile::TempDir;
use testkit::fault::{PrivateCluster, free_port};

use super::writers::LAST;

const PASSWORD: &str = "correct-horse-battery-staple";
const SECRET: &str = "a-test-secret-that-nobody-uses-elsewhere";
const GROUND: &str = "
    create table public.events (id bigint generated always as identity primary key, mark text);
    select selfdb.set_table_public('public.events', true);
    alter publication supabase_realtime add table public.events";

pub(super) struct Processes {
    cluster: tokio::sync::Mutex<PrivateCluster>,
    endpoint: Endpoint,
    environment: EnvironmentMap,
    services: Vec<Service>,
    /// Which of them the client asks next.
    next: AtomicUsize,
    pub(super) anon_key: String,
    _data: TempDir,
}

struct Service {
    port: u16,
    child: Mutex<Child>,
}

impl Processes {
    pub(super) async fn start(count: usize) -> Self {
        let cluster = PrivateCluster::start().await;
        let endpoint = cluster.endpoint();
        let data = tempfile::tempdir().expect("a folder");
        let mut environment = environment(&endpoint);
        environment.set("DATA_DIR", data.path().to_string_lossy());
        let config = jwt::JwtConfig::from_settings(&Settings::new(&environment));
        let signer = config.expect("JWT settings").signer();
        let now = common::Clock::now(&common::SystemClock);
        let anon_key = jwt::mint_key_token(&signer, jwt::ApiKey::Anon, now);
        environment.set("ANON_KEY", &anon_key);
        let service_key = jwt::mint_key_token(&signer, jwt::ApiKey::ServiceRole, now);
        environment.set("SERVICE_ROLE_KEY", service_key);
        let passwords = RolePasswords::from_settings(&Settings::new(&environment));
        bootstrap::run(&endpoint, &passwords.expect("every password"))
            .await
            .expect("the platform's objects");
        let services = (0..count).map(|_| {
            let port = free_port();
            let child = Mutex::new(serve(&environment, port));
            Service { port, child }
        });
        let services: Vec<Service> = services.collect();
        let processes = Self {
            cluster: tokio::sync::Mutex::new(cluster),
            endpoint,
            environment,
            services,
            next: AtomicUsize::new(0),
            anon_key,
            _data: data,
        };
        let pool = processes.pool();
        let ground = sqlx::raw_sql(GROUND).execute(&pool).await;
        ground.expect("the table");
        processes
    }

    /// A superuser's connection, made when it is needed.
    pub(super) fn pool(&self) -> PgPool {
        pg::pool(&self.endpoint, &PoolOptions::new("test", 4))
    }

    /// The address of one of the services: another one each time.
    pub(super) fn url(&self) -> String {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let service = &self.services[next % self.services.len()];
        format!("http://127.0.0.1:{}", service.port)
    }

    /// Kills one of the services, and starts it again.
    pub(super) fn kill_service(&self, which: usize) {
        let service = &self.services[which % self.services.len()];
        let mut child = service.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.kill().expect("a process of ours");
        child.wait().expect("its end");
        *child = serve(&self.environment, service.port);
    }

    /// Kills Postgres, and starts it again.
    pub(super) async fn kill_postgres(&self) {
        let mut cluster = self.cluster.lock().await;
        cluster.kill();
        cluster.restart().await;
    }

    /// Ends whoever reads the slot.
    pub(super) async fn kill_stream(&self) {
        let sql = "select pg_terminate_backend(active_pid) from pg_replication_slots where active";
        // Whoever is away already needs no ending.
        let _ = sqlx::query(sql).execute(&self.pool()).await;
    }

    /// What is in the table, but for the last rows.
    pub(super) async fn marks(&self) -> Vec<String> {
        let sql = "select mark from public.events where mark <> $1";
        let marks = sqlx::query_scalar(sql)
            .bind(LAST)
            .fetch_all(&self.pool())
            .await;
        marks.expect("the rows")
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for service in &self.services {
            let mut child = service.child.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn serve(environment: &EnvironmentMap, port: u16) -> Child {
    let another = ProcessEnvironment.var("REALTIME_KILLS_PROGRAM");
    let program = another.unwrap_or_else(|| env!("CARGO_BIN_EXE_selfdb-realtime").to_owned());
    Command::new(program)
        .envs(environment.iter())
        .env("REALTIME_PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the service's binary")
}

fn environment(endpoint: &Endpoint) -> EnvironmentMap {
    let mut environment = EnvironmentMap::from_iter([
        ("JWT_SECRET", SECRET),
        ("API_EXTERNAL_URL", "http://localhost:8000"),
        ("PUBLISHABLE_KEY", "sb_publishable_tests0123456789abcdefgh"),
        ("SECRET_KEY", "sb_secret_tests0123456789abcdefghijkl"),
        ("POSTGRES_HOST", "127.0.0.1"),
        ("POSTGRES_DB", "postgres"),
    ]);
    environment.set("POSTGRES_PORT", endpoint.port.to_string());
    let password = endpoint.password.as_ref().map(Secret::expose);
    environment.set("POSTGRES_PASSWORD", password.unwrap_or_default());
    for login in roles::LOGINS {
        environment.set(&format!("{}_DB_PASSWORD", login.prefix), PASSWORD);
    }
    environment
}
