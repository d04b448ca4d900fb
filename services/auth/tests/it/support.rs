//! An instance of the service under test, and what clients do with it.

use std::sync::Arc;
use std::time::Duration;

use auth::Config;
use common::{Clock as _, EnvironmentMap, FixedClock, Settings, SystemClock, SystemRandomness};
use jwt::{ApiKey, JwtConfig};
use pg::sqlx::{self, AssertSqlSafe, Row as _};
use serde_json::{Value, json};
use testkit::{TestDatabase, TestRequest, TestResponse, TestService};

/// A password that every rule of the tests accepts.
pub(crate) const PASSWORD: &str = "correct-horse-1";

/// The service on a database of its own, at a time that the test decides.
pub(crate) struct Instance {
    pub(crate) db: TestDatabase,
    pub(crate) service: TestService,
    clock: Arc<FixedClock>,
}

/// What a client keeps of a session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) user: Value,
}

impl Session {
    pub(crate) fn of(response: &TestResponse) -> Self {
        let body = response.json();
        let text = |key: &str| body[key].as_str().expect(key).to_owned();
        Self {
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
            user: body["user"].clone(),
        }
    }

    pub(crate) fn user_id(&self) -> &str {
        self.user["id"].as_str().expect("an id")
    }

    /// The access token's claims.
    pub(crate) fn claims(&self) -> Value {
        claims(&self.access_token)
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("a payload");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

impl Instance {
    /// With default settings, but no rate limits.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these settings on top.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let db = TestDatabase::new(&[auth::MIGRATIONS]).await;
        let config = testkit::config::<Config>(&environment(&db, settings));
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let randomness = Arc::new(SystemRandomness);
        let built = auth::build_with(&config, Arc::clone(&clock) as _, randomness).await;
        Self {
            service: TestService::in_process(built.expect("the service builds")),
            db,
            clock,
        }
    }

    /// Another node on the same database, at the same time, with these settings on top.
    pub(crate) async fn another_node(&self, settings: &[(&str, &str)]) -> TestService {
        let config = testkit::config::<Config>(&environment(&self.db, settings));
        let clock = Arc::clone(&self.clock) as _;
        let built = auth::build_with(&config, clock, Arc::new(SystemRandomness)).await;
        TestService::in_process(built.expect("the service builds"))
    }

    /// Another node, whose operator has changed the platform's secret.
    pub(crate) async fn node_of_another_secret(&self) -> TestService {
        let settings = secrets("another-secret-of-thirty-two-characters-or-more");
        let settings: Vec<(&str, &str)> = settings.iter().collect();
        self.another_node(&settings).await
    }

    pub(crate) fn clock(&self) -> &FixedClock {
        &self.clock
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// `POST /signup` with the usual password.
    pub(crate) async fn sign_up(&self, email: &str) -> Session {
        let body = json!({ "email": email, "password": PASSWORD });
        let response = self.service.post("/signup").json(&body).await;
        Session::of(&response.expect_status(200))
    }

    /// `POST /token?grant_type=password`.
    pub(crate) fn sign_in(&self, email: &str, password: &str) -> TestRequest {
        self.service
            .post("/token?grant_type=password")
            .json(&json!({ "email": email, "password": password }))
    }

    /// `POST /token?grant_type=refresh_token`.
    pub(crate) fn refresh(&self, token: &str) -> TestRequest {
        self.service
            .post("/token?grant_type=refresh_token")
            .json(&json!({ "refresh_token": token }))
    }

    /// `GET /user`.
    pub(crate) fn user(&self, session: &Session) -> TestRequest {
        self.service.get("/user").bearer(&session.access_token)
    }

    /// A change of the user; its body is still to be given.
    pub(crate) fn change(&self, session: &Session) -> TestRequest {
        self.service.put("/user").bearer(&session.access_token)
    }

    /// A request of the service key.
    pub(crate) fn admin(&self, request: TestRequest) -> TestRequest {
        request.bearer(self.db.service_token())
    }

    /// One number that a query answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.db.admin_pool())
            .await
            .expect("a row");
        row.get(0)
    }

    /// One text that a query answers.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.db.admin_pool())
            .await
            .expect("a row");
        row.get(0)
    }
}

/// The settings that follow from the platform's secret.
pub(crate) fn secrets(secret: &str) -> EnvironmentMap {
    let environment = EnvironmentMap::from_iter([("JWT_SECRET", secret)]);
    let jwt = JwtConfig::from_settings(&Settings::new(&environment)).expect("a secret");
    let key = |key| jwt::mint_key_token(&jwt.signer(), key, SystemClock.now());
    environment
        .with("ANON_KEY", key(ApiKey::Anon))
        .with("SERVICE_ROLE_KEY", key(ApiKey::ServiceRole))
}

fn environment(db: &TestDatabase, settings: &[(&str, &str)]) -> EnvironmentMap {
    let mut environment = db.settings();
    for limit in [
        "SIGN_UP",
        "ANONYMOUS_USERS",
        "TOKEN_REFRESH",
        "USER_UPDATE",
        "PASSKEY",
        "WRONG_PASSWORDS",
        "WRONG_CODES",
        "VERIFY",
        "OTP",
        "EMAIL_SENT",
        "SMS_SENT",
    ] {
        environment.set(&format!("GOTRUE_RATE_LIMIT_{limit}"), "0");
    }
    environment.set("GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY", "0");
    for (name, value) in settings {
        environment.set(name, *value);
    }
    environment
}

/// Checks the status and the code of an error of GoTrue's older dialect.
#[track_caller]
pub(crate) fn assert_error(response: &TestResponse, status: u16, code: &str) {
    let body = response.text();
    assert_eq!(response.status.as_u16(), status, "{body}");
    let body = response.json();
    assert_eq!(body["code"], status, "{body}");
    assert_eq!(body["error_code"], code, "{body}");
    assert!(
        body["msg"].as_str().is_some_and(|msg| !msg.is_empty()),
        "{body}"
    );
}
