//! A gateway on a real listener, in front of echo services in its process or elsewhere.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use common::server::{self, ServerLimits};
use common::{Check, SystemClock};
use common::{Clock as _, EnvironmentMap, Lifecycle, Service, ServiceConfig as _, Settings};
use gateway::{Config, Upstream, Upstreams};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jwt::{ApiKey, JwtConfig, Signer, mint_key_token};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::echo;

pub(crate) const PUBLISHABLE: &str = "sb_publishable_4Jx0kqTnH2mZ8rVbW1sYcA";
pub(crate) const SECRET: &str = "sb_secret_9QdLw3EfKp7uTz5NnMxRaB2vGh";
const JWT_SECRET: &str = "0f9d3c1be2a84756b1d08e7f5a6c4e3d2b1a09f8";

pub(crate) const SERVICES: [&str; 5] = ["auth", "rest", "realtime", "storage", "functions"];

/// Keys and tokens, good and bad.
#[derive(Debug, Clone)]
pub(crate) struct Keyring {
    pub(crate) anon: String,
    pub(crate) service_role: String,
    pub(crate) user: String,
    pub(crate) expired: String,
    /// A key of the platform's secret that is not in its configuration.
    pub(crate) minted: String,
}

pub(crate) fn signer() -> Signer {
    let environment = EnvironmentMap::from_iter([("JWT_SECRET", JWT_SECRET)]);
    let settings = Settings::new(&environment);
    JwtConfig::from_settings(&settings)
        .expect("a secret")
        .signer()
}

pub(crate) fn keyring() -> Keyring {
    let (signer, now) = (signer(), SystemClock.now());
    let user = |exp: i64| {
        let sub = "8a7b6c5d-0000-4000-8000-000000000001";
        let claims = json!({ "role": "authenticated", "sub": sub, "exp": exp });
        signer.sign(&claims).expect("a token")
    };
    let minute = time::Duration::minutes(1);
    Keyring {
        anon: mint_key_token(&signer, ApiKey::Anon, now),
        service_role: mint_key_token(&signer, ApiKey::ServiceRole, now),
        user: user((now + minute).unix_timestamp()),
        expired: user((now - minute).unix_timestamp()),
        minted: mint_key_token(&signer, ApiKey::ServiceRole, now - minute),
    }
}

/// What a gateway is configured with, and `changes`.
pub(crate) fn environment(keys: &Keyring, changes: &[(&str, &str)]) -> EnvironmentMap {
    let environment = EnvironmentMap::from_iter([
        ("JWT_SECRET", JWT_SECRET),
        ("ANON_KEY", keys.anon.as_str()),
        ("SERVICE_ROLE_KEY", keys.service_role.as_str()),
        ("PUBLISHABLE_KEY", PUBLISHABLE),
        ("SECRET_KEY", SECRET),
    ]);
    let with =
        |environment: EnvironmentMap, (name, value): &(&str, &str)| environment.with(name, *value);
    changes.iter().fold(environment, with)
}

pub(crate) fn config(environment: &EnvironmentMap) -> Config {
    let settings = Settings::new(environment);
    let config = Config::from_settings(&settings);
    settings.finish(config).expect("a valid configuration")
}

/// A server of this test's own, stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    lifecycle: Lifecycle,
}

impl Server {
    pub(crate) fn on(listener: TcpListener, router: Router) -> Self {
        Self::within(ServerLimits::default(), listener, router)
    }

    fn within(limits: ServerLimits, listener: TcpListener, router: Router) -> Self {
        let address = listener.local_addr().expect("an address");
        let lifecycle = Lifecycle::new();
        lifecycle.spawn(server::serve(listener, router, limits, lifecycle.clone()));
        Self { address, lifecycle }
    }

    pub(crate) async fn of(service: Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self::on(listener, service.router);
        for task in service.tasks {
            server.lifecycle.supervise(service.name, task);
        }
        server
    }

    /// Begins to stop, as at SIGTERM.
    pub(crate) fn stop(&self) {
        self.lifecycle.begin_shutdown();
    }

    /// Stops at once, connections included.
    pub(crate) fn kill(&self) {
        self.stop();
        self.lifecycle.hard().cancel();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where the services of a [`Stage`] run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    InProcess,
    Elsewhere,
}

pub(crate) const PLACES: [Place; 2] = [Place::InProcess, Place::Elsewhere];

pub(crate) struct Stage {
    pub(crate) keys: Keyring,
    pub(crate) gateway: Server,
    pub(crate) services: Vec<Server>,
    client: Client<HttpConnector, Body>,
}

impl Stage {
    pub(crate) async fn new(place: Place, changes: &[(&str, &str)]) -> Self {
        match place {
            Place::InProcess => {
                let [auth, rest, realtime, storage, functions] = SERVICES.map(|name| {
                    Upstream::InProcess(
                        echo::router(name),
                        vec![Check::new("echo", async || Ok(()))],
                    )
                });
                let upstreams = Upstreams {
                    auth,
                    rest,
                    realtime,
                    storage,
                    functions,
                };
                Self::of(upstreams, changes).await
            }
            Place::Elsewhere => Self::elsewhere(ServerLimits::default(), changes).await,
        }
    }

    /// Services as processes of their own would be, whose servers have these limits.
    pub(crate) async fn elsewhere(limits: ServerLimits, changes: &[(&str, &str)]) -> Self {
        let mut services = Vec::new();
        for name in SERVICES {
            let health = common::health::router(Vec::new());
            let router = health.fallback_service(echo::router(name));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            services.push(Server::within(limits, listener, router));
        }
        let urls: Vec<_> = services
            .iter()
            .map(|service| format!("http://{}", service.address))
            .collect();
        let names = SERVICES.map(|name| format!("{}_URL", name.to_uppercase()));
        let urls = names
            .iter()
            .map(String::as_str)
            .zip(urls.iter().map(String::as_str));
        let changes: Vec<_> = urls.chain(changes.iter().copied()).collect();
        let keys = keyring();
        let config = config(&environment(&keys, &changes));
        let service = config.build().await.expect("a gateway");
        Self::around(keys, Server::of(service).await, services)
    }

    /// A gateway in front of `upstreams`.
    pub(crate) async fn of(upstreams: Upstreams, changes: &[(&str, &str)]) -> Self {
        let keys = keyring();
        let config = config(&environment(&keys, changes));
        let service = config.build_with(upstreams).expect("a gateway");
        Self::around(keys, Server::of(service).await, Vec::new())
    }

    fn around(keys: Keyring, gateway: Server, services: Vec<Server>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            keys,
            gateway,
            services,
            client,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.address
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response<hyper::body::Incoming> {
        let uri = format!("http://{}{path}", self.address());
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        self.client.request(request).await.expect("an answer")
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let response = self.send(method, path, headers, body.into()).await;
        Reply::read(response).await
    }

    /// GET with the anonymous key.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let headers = [("apikey", self.keys.anon.as_str())];
        self.ask(Method::GET, path, &headers, Body::empty()).await
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    async fn read(response: Response<hyper::body::Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    /// A header the echo service received, once.
    pub(crate) fn received(&self, name: &str) -> Option<String> {
        let body = self.json();
        let values = body["headers"]
            .get(name)?
            .as_array()
            .cloned()
            .expect("a list");
        assert_eq!(values.len(), 1, "{name} was sent {values:?}");
        values[0].as_str().map(str::to_owned)
    }
}

/// Waits, within bounds, until `probe` answers something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(probe: impl Fn() -> F) -> T {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "it never happened");
        tokio::task::yield_now().await;
    }
}
