//! Postgres goes away and comes back, at rest and mid-rotation.

use std::time::{Duration, Instant};

use auth::Config;
use common::{EnvironmentMap, Settings};
use pg::bootstrap::{self, RolePasswords};
use pg::roles;
use serde_json::json;
use testkit::fault::PrivateCluster;
use testkit::{TestRequest, TestResponse, TestService};
use tokio::sync::Notify;

use crate::support::{PASSWORD, Session, assert_error, secrets};

const DATABASE_PASSWORD: &str = "correct-horse-battery-staple";
/// Postgres must answer again within this after a crash.
const DEADLINE: Duration = Duration::from_secs(20);

struct Fragile {
    cluster: PrivateCluster,
    service: TestService,
}

impl Fragile {
    async fn start() -> Self {
        let cluster = PrivateCluster::start().await;
        let environment = environment(&cluster);
        let passwords = RolePasswords::from_settings(&Settings::new(&environment));
        bootstrap::run(&cluster.endpoint(), &passwords.expect("passwords"))
            .await
            .expect("a platform's database");
        let service = TestService::start(testkit::config::<Config>(&environment)).await;
        Self { cluster, service }
    }

    fn refresh(&self, token: &str) -> TestRequest {
        self.service
            .post("/token?grant_type=refresh_token")
            .json(&json!({ "refresh_token": token }))
    }

    async fn sign_up(&self) -> Session {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let response = self.service.post("/signup").json(&body).await;
        Session::of(&response.expect_status(200))
    }

    /// Asks until the service is there again.
    async fn refresh_when_back(&self, token: &str) -> TestResponse {
        let begun = Instant::now();
        loop {
            let response = self.refresh(token).await;
            if response.status != 503 || begun.elapsed() > DEADLINE {
                return response;
            }
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn environment(cluster: &PrivateCluster) -> EnvironmentMap {
    let mut environment = secrets("a-test-secret-that-nobody-uses-elsewhere");
    environment.set("POSTGRES_HOST", "127.0.0.1");
    environment.set("POSTGRES_PORT", cluster.endpoint().port.to_string());
    environment.set("GOTRUE_RATE_LIMIT_TOKEN_REFRESH", "0");
    for login in roles::LOGINS {
        environment.set(&format!("{}_DB_PASSWORD", login.prefix), DATABASE_PASSWORD);
    }
    environment
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_clients_are_told_to_come_back() {
    let mut fragile = Box::pin(Fragile::start()).await;
    let session = fragile.sign_up().await;
    fragile.cluster.kill();
    fragile.cluster.stop().await;
    let service = &fragile.service;
    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    let (user, sign_up, refresh, ready) = tokio::join!(
        service
            .get("/user")
            .bearer(&session.access_token)
            .into_future(),
        service.post("/signup").json(&body).into_future(),
        fragile.refresh(&session.refresh_token).into_future(),
        service.get("/ready").into_future(),
    );
    for away in [user, sign_up, refresh] {
        assert_error(&away, 503, "service_unavailable");
        assert_eq!(away.header("retry-after"), Some("1"));
    }
    let _ = ready.expect_status(503);
    let _ = service.get("/health").await.expect_status(200);

    fragile.cluster.restart().await;
    let back = fragile.refresh_when_back(&session.refresh_token).await;
    let _ = back.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_mid_rotation_locks_nobody_out() {
    let mut fragile = Box::pin(Fragile::start()).await;
    let mut known = fragile.sign_up().await.refresh_token;
    for rotations_before in [1, 4, 9, 16] {
        let reached = Notify::new();
        let rotations = async {
            let mut token = known.clone();
            for count in 1.. {
                let response = fragile.refresh(&token).await;
                if response.status != 200 {
                    break;
                }
                token = Session::of(&response).refresh_token;
                if count == rotations_before {
                    reached.notify_one();
                }
            }
            token
        };
        // The next rotation is under way when this happens.
        let crash = async {
            reached.notified().await;
            tokio::task::yield_now().await;
            fragile.cluster.kill();
        };
        (known, ()) = tokio::join!(rotations, crash);
        fragile.cluster.restart().await;
        let back = fragile.refresh_when_back(&known).await;
        known = Session::of(&back.expect_status(200)).refresh_token;
    }
}
