//! The service on the fixture's database, and its answers as text for snapshots.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use common::EnvironmentMap;
use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use testkit::{TestDatabase, TestRequest, TestResponse, TestService};

/// What scenarios write plainly and a URI carries encoded.
pub(crate) const NOT_IN_URIS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(crate) struct Api {
    pub(crate) db: TestDatabase,
    pub(crate) service: TestService,
    token: String,
}

/// One request of a table of scenarios.
pub(crate) struct Scenario {
    method: Method,
    path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
}

pub(crate) fn get(path: &'static str) -> Scenario {
    scenario(Method::GET, path, "")
}

pub(crate) fn delete(path: &'static str) -> Scenario {
    scenario(Method::DELETE, path, "")
}

pub(crate) fn post(path: &'static str, body: &'static str) -> Scenario {
    scenario(Method::POST, path, body)
}

pub(crate) fn patch(path: &'static str, body: &'static str) -> Scenario {
    scenario(Method::PATCH, path, body)
}

pub(crate) fn put(path: &'static str, body: &'static str) -> Scenario {
    scenario(Method::PUT, path, body)
}

pub(crate) fn scenario(method: Method, path: &'static str, body: &'static str) -> Scenario {
    Scenario {
        method,
        path,
        headers: Vec::new(),
        body,
    }
}

impl Scenario {
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn prefer(self, value: &'static str) -> Self {
        self.with("prefer", value)
    }

    pub(crate) fn accept(self, value: &'static str) -> Self {
        self.with("accept", value)
    }
}

impl Api {
    /// The service on a database with the fixture, asked as the service role.
    pub(crate) async fn start() -> Self {
        Self::with(|settings| settings).await
    }

    /// The same, with other settings.
    pub(crate) async fn with(change: impl FnOnce(EnvironmentMap) -> EnvironmentMap) -> Self {
        let db = TestDatabase::new(&[]).await;
        db.execute(include_str!("fixture.sql")).await;
        let config: rest::Config = testkit::config(&change(db.settings()));
        let service = TestService::start(config).await;
        Self::of(db, service).await
    }

    /// `service`, which is on `db`, once it is ready.
    pub(crate) async fn of(db: TestDatabase, service: TestService) -> Self {
        let token = db.service_token().to_owned();
        let api = Self { db, service, token };
        api.until(|api| api.service.get("/ready"), |ready| ready.status == 200)
            .await;
        api
    }

    /// The same service, asked with another token.
    pub(crate) fn acting_as(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// Asks again until the answer is as wanted; it has to be within a few seconds.
    pub(crate) async fn until(
        &self,
        ask: impl Fn(&Self) -> TestRequest,
        wanted: impl Fn(&TestResponse) -> bool,
    ) -> TestResponse {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let response = ask(self).await;
            if wanted(&response) {
                return response;
            }
            assert!(Instant::now() < deadline, "never as wanted: {response:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn ask(&self, scenario: &Scenario) -> TestResponse {
        let method = scenario.method.clone();
        let path = utf8_percent_encode(scenario.path, NOT_IN_URIS).to_string();
        let mut request = self.service.request(method, &path);
        if !self.token.is_empty() {
            request = request.bearer(&self.token);
        }
        for (name, value) in &scenario.headers {
            request = request.header(name, value);
        }
        if !scenario.body.is_empty() {
            let typed = scenario
                .headers
                .iter()
                .any(|(name, _)| *name == "content-type");
            if !typed {
                request = request.header("content-type", "application/json");
            }
            request = request.body(scenario.body);
        }
        request.await
    }

    /// Asks one after another, and shows each with its answer.
    pub(crate) async fn show<const N: usize>(&self, scenarios: [Scenario; N]) -> String {
        let mut shown = String::new();
        for scenario in scenarios {
            let response = self.ask(&scenario).await;
            let _ = writeln!(shown, "{} {}", scenario.method, scenario.path);
            for (name, value) in &scenario.headers {
                let _ = writeln!(shown, "  {name}: {value}");
            }
            if !scenario.body.is_empty() {
                let _ = writeln!(shown, "  {}", scenario.body);
            }
            let _ = write!(shown, "= {}", response.status.as_u16());
            for name in ["content-range", "location", "preference-applied"] {
                if let Some(value) = response.header(name) {
                    let _ = write!(shown, " | {name}: {value}");
                }
            }
            let text = response.text().replace(", \n ", ",");
            let _ = writeln!(shown, "\n{text}{}", if text.is_empty() { "" } else { "\n" });
        }
        shown
    }
}
