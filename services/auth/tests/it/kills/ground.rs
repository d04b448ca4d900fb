//! A Postgres and a process of the service that are there to be killed.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{EnvironmentMap, Settings};
use pg::PoolOptions;
use pg::bootstrap::{self, RolePasswords};
use pg::sqlx;
use testkit::fault::{self, PrivateCluster};

use super::holders::post;
use crate::cluster::environment;

pub(super) struct Ground {
    pub(super) port: u16,
    cluster: PrivateCluster,
    settings: EnvironmentMap,
    service: Option<Child>,
}

impl Ground {
    /// A cluster with the platform's objects, and the service on it.
    pub(super) async fn lay() -> Self {
        let cluster = Box::pin(PrivateCluster::start()).await;
        let port = fault::free_port();
        let mut settings = environment(&cluster);
        settings.set("AUTH_PORT", port.to_string());
        settings.set("LOG_LEVEL", "off");
        settings.set("GOTRUE_RATE_LIMIT_SIGN_UP", "0");
        let passwords = RolePasswords::from_settings(&Settings::new(&settings));
        bootstrap::run(&cluster.endpoint(), &passwords.expect("passwords"))
            .await
            .expect("the platform's objects");
        let mut ground = Self {
            port,
            cluster,
            settings,
            service: None,
        };
        ground.start_service();
        ground
    }

    /// Runs a statement as the superuser.
    pub(super) async fn execute(&self, sql: &'static str) {
        let pool = pg::pool(&self.cluster.endpoint(), &PoolOptions::new("test", 1));
        let done = sqlx::raw_sql(sql).execute(&pool).await;
        done.expect("a statement");
        pool.close().await;
    }

    /// The numbers that a query answers.
    pub(super) async fn numbers(&self, sql: &'static str) -> Vec<i64> {
        let pool = pg::pool(&self.cluster.endpoint(), &PoolOptions::new("test", 1));
        let numbers = sqlx::query_scalar(sql).fetch_all(&pool).await;
        pool.close().await;
        numbers.expect("numbers")
    }

    fn start_service(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selfdb-auth"));
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

    /// Waits until the service answers, and Postgres through it.
    pub(super) async fn until_it_serves(&self) {
        let begun = Instant::now();
        let refresh = "/token?grant_type=refresh_token";
        let unknown = r#"{"refresh_token":"unknown"}"#;
        while !matches!(post(self.port, refresh, unknown).await, Some((400, _))) {
            assert!(begun.elapsed() < Duration::from_mins(1), "never again");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
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
