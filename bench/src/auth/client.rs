//! A client of the instance, with as many connections as it needs.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::rest::instance::Instance;

const SIGN_IN: &str = "/auth/v1/token?grant_type=password";
const KNOWN: &str = r#"{"email":"known@example.com","password":"correct-horse-1"}"#;
pub(super) const WRONG: &str = r#"{"email":"known@example.com","password":"wrong-horse-11"}"#;
pub(super) const UNKNOWN: &str = r#"{"email":"other@example.com","password":"wrong-horse-11"}"#;

#[derive(Clone)]
pub(super) struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    base: String,
    key: String,
}

impl Client {
    pub(super) fn new(instance: &Instance) -> Self {
        Self {
            http: HttpClient::builder(TokioExecutor::new()).build_http(),
            base: instance.address("API_PORT"),
            key: instance.setting("SERVICE_ROLE_KEY"),
        }
    }

    pub(super) async fn sign_up(&self) {
        assert_eq!(self.post("/auth/v1/signup", KNOWN).await, 200);
    }

    /// Signs the known user in: how long that took.
    pub(super) async fn sign_in(&self) -> Duration {
        let begun = Instant::now();
        assert_eq!(self.post(SIGN_IN, KNOWN).await, 200);
        begun.elapsed()
    }

    /// Tries to sign in by a body that opens nothing: how long that took.
    pub(super) async fn fail_to_sign_in(&self, body: &'static str) -> Duration {
        let begun = Instant::now();
        assert_eq!(self.post(SIGN_IN, body).await, 400);
        begun.elapsed()
    }

    pub(super) async fn sign_in_times(&self, times: usize, at_once: usize) {
        let mut tasks = JoinSet::new();
        for number in 0..at_once {
            let client = self.clone();
            let share = times / at_once + usize::from(number < times % at_once);
            tasks.spawn(async move {
                for _ in 0..share {
                    client.sign_in().await;
                }
            });
        }
        tasks.join_all().await;
    }

    /// Reads one row: how long that took.
    pub(super) async fn read(&self, id: u32) -> Duration {
        let begun = Instant::now();
        let path = format!("/rest/v1/bench_auth?id=eq.{}", id % 1000 + 1);
        let request = self.request("GET", &path, "");
        assert_eq!(self.send(request).await, 200);
        begun.elapsed()
    }

    async fn post(&self, path: &str, body: &'static str) -> u16 {
        self.send(self.request("POST", path, body)).await
    }

    fn request(&self, method: &str, path: &str, body: &'static str) -> Request<Full<Bytes>> {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("apikey", &self.key)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(Full::from(body))
            .expect("a request")
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> u16 {
        let response = self.http.request(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        body.collect().await.expect("a whole answer");
        head.status.as_u16()
    }
}
