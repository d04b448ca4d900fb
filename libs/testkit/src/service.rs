//! A service under test, its tasks running: asked in process, or over a socket of its own.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use common::server::{self, ServerLimits};
use common::{EnvironmentMap, Lifecycle, Service, ServiceConfig, Settings, health};
use http::{Method, Request, Response};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tower::ServiceExt as _;

use crate::TestRequest;

/// The configuration `C` from an env file, where a wrong one ends the test with all its errors.
pub fn config<C: ServiceConfig>(environment: &EnvironmentMap) -> C {
    let settings = Settings::new(environment);
    let config = C::from_settings(&settings);
    settings
        .finish(config)
        .expect("a configuration that can be used")
}

/// A built service. Its tasks end when it is dropped.
#[derive(Debug)]
pub struct TestService {
    transport: Transport,
    lifecycle: Lifecycle,
}

#[derive(Debug, Clone)]
pub(crate) enum Transport {
    InProcess(Router),
    Socket {
        url: String,
        client: Box<Client<HttpConnector, Body>>,
    },
}

impl TestService {
    /// Builds `config` and asks it in process.
    pub async fn start<C: ServiceConfig>(config: C) -> Self {
        Self::in_process(Box::pin(config.build()).await.expect("the service builds"))
    }

    /// Builds `config` and asks it over a socket, at [`TestService::url`].
    pub async fn listen<C: ServiceConfig>(config: C) -> Self {
        Self::on_socket(Box::pin(config.build()).await.expect("the service builds")).await
    }

    /// Runs a built service's tasks and asks its router directly.
    pub fn in_process(service: Service) -> Self {
        let (router, lifecycle) = run(service);
        Self {
            transport: Transport::InProcess(router),
            lifecycle,
        }
    }

    /// Runs a built service as its own binary would, on a free port.
    pub async fn on_socket(service: Service) -> Self {
        let (router, lifecycle) = run(service);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = server::bind(address).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let limits = ServerLimits::default();
        lifecycle.spawn(server::serve(listener, router, limits, lifecycle.clone()));
        let client = Box::new(Client::builder(TokioExecutor::new()).build_http());
        Self {
            transport: Transport::Socket { url, client },
            lifecycle,
        }
    }

    /// Where a service on a socket listens: `http://127.0.0.1:41234`.
    pub fn url(&self) -> &str {
        match &self.transport {
            Transport::InProcess(_) => "http://in.process",
            Transport::Socket { url, .. } => url,
        }
    }

    /// `GET path`.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    /// `POST path`.
    pub fn post(&self, path: &str) -> TestRequest {
        self.request(Method::POST, path)
    }

    /// `PUT path`.
    pub fn put(&self, path: &str) -> TestRequest {
        self.request(Method::PUT, path)
    }

    /// `PATCH path`.
    pub fn patch(&self, path: &str) -> TestRequest {
        self.request(Method::PATCH, path)
    }

    /// `DELETE path`.
    pub fn delete(&self, path: &str) -> TestRequest {
        self.request(Method::DELETE, path)
    }

    /// Any method; `path` with its query.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest::new(
            self.transport.clone(),
            method,
            format!("{}{path}", self.url()),
        )
    }
}

impl Drop for TestService {
    fn drop(&mut self) {
        self.lifecycle.begin_shutdown();
        self.lifecycle.hard().cancel();
    }
}

fn run(service: Service) -> (Router, Lifecycle) {
    let lifecycle = Lifecycle::new();
    for task in service.tasks {
        lifecycle.supervise(service.name, task);
    }
    (
        health::router(service.checks).fallback_service(service.router),
        lifecycle,
    )
}

impl Transport {
    pub(crate) async fn send(self, mut request: Request<Body>) -> Response<Body> {
        match self {
            Self::InProcess(router) => {
                let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
                request.extensions_mut().insert(ConnectInfo(peer));
                router
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never| match never {})
            }
            Self::Socket { client, .. } => client
                .request(request)
                .await
                .expect("an answer")
                .map(Body::new),
        }
    }
}
