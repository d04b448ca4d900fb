//! A Postgres and a process of the service that are there to be killed.

use std::process::{Child, Command, Stdio};

use common::{Clock as _, EnvironmentMap, Settings, SystemClock};
use jwt::{JwtConfig, mint_key_token};
use pg::bootstrap::{self, RolePasswords};
use pg::{PoolOptions, roles};
use testkit::fault::{self, PrivateCluster};

use super::client::{Write, send};

const PASSWORD: &str = "correct-horse-battery-staple";

pub(super) struct Ground {
    pub(super) cluster: PrivateCluster,
    pub(super) port: u16,
    pub(super) token: String,
    settings: EnvironmentMap,
    service: Option<Child>,
}

impl Ground {
    /// A cluster with the platform's objects and a few tables, and the service on it.
    pub(super) async fn lay() -> Self {
        let cluster = PrivateCluster::start().await;
        let admin = cluster.endpoint();
        let port = fault::free_port();
        let mut settings = EnvironmentMap::from_iter([
            ("JWT_SECRET", "a-test-secret-that-nobody-uses-elsewhere"),
            ("POSTGRES_HOST", admin.host.as_str()),
            ("LOG_LEVEL", "off"),
        ]);
        settings.set("POSTGRES_PORT", admin.port.to_string());
        settings.set("REST_PORT", port.to_string());
        for login in roles::LOGINS {
            settings.set(&format!("{}_DB_PASSWORD", login.prefix), PASSWORD);
        }
        let passwords = RolePasswords::from_settings(&Settings::new(&settings));
        bootstrap::run(&admin, &passwords.expect("passwords"))
            .await
            .expect("the platform's objects");
        let jwt = JwtConfig::from_settings(&Settings::new(&settings)).expect("JWT settings");
        let now = SystemClock.now();
        let mut ground = Self {
            cluster,
            port,
            token: mint_key_token(&jwt.signer(), jwt::ApiKey::ServiceRole, now),
            settings,
            service: None,
        };
        ground.execute(include_str!("ground.sql")).await;
        ground.start_service();
        ground
    }

    /// Runs statements as the superuser.
    pub(super) async fn execute(&self, sql: &'static str) {
        let pool = pg::pool(&self.cluster.endpoint(), &PoolOptions::new("test", 1));
        pg::sqlx::raw_sql(sql)
            .execute(&pool)
            .await
            .expect("statements");
        pool.close().await;
    }

    /// The marks of all that was applied.
    pub(super) async fn ledger(&self) -> Vec<String> {
        let pool = pg::pool(&self.cluster.endpoint(), &PoolOptions::new("test", 1));
        let marks = pg::sqlx::query_scalar("select mark from public.ledger");
        let marks = marks.fetch_all(&pool).await.expect("the ledger");
        pool.close().await;
        marks
    }

    fn start_service(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selfdb-rest"));
        command.env_clear().envs(self.settings.iter());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        self.service = Some(command.spawn().expect("the service starts"));
    }

    /// Kills the service with SIGKILL and starts it again.
    pub(super) fn kill_service(&mut self) {
        self.end_service();
        self.start_service();
    }

    /// Kills Postgres with SIGKILL and starts it again.
    pub(super) async fn kill_postgres(&mut self) {
        self.cluster.kill();
        self.cluster.restart().await;
    }

    /// Whether the service answers, and Postgres through it.
    pub(super) async fn serves(&self) -> bool {
        let read = Write {
            method: "GET",
            path: "/accounts?id=eq.1".to_owned(),
            prefer: "",
            body: String::new(),
            key: None,
        };
        send(self.port, &self.token, &read).await == Some(200)
    }

    fn end_service(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.end_service();
    }
}
