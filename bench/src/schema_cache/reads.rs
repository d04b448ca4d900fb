//! One client that reads one row over and over.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;

use super::ground::Ground;
use super::print;

/// How long each took, the fastest first.
pub(super) struct Reads(Vec<Duration>);

impl Reads {
    /// Reads until `meanwhile` has ended.
    pub(super) async fn of(ground: &Ground, meanwhile: impl Future<Output = ()>) -> Self {
        let (url, token) = (ground.url("/t0?limit=1"), ground.db.service_token());
        let (end, ended) = oneshot::channel();
        // A task of its own, so that it does not wait for what this one does.
        let reader = tokio::spawn(read(url, format!("Bearer {token}"), ended));
        meanwhile.await;
        end.send(()).expect("a reader");
        let mut took = reader.await.expect("reads");
        took.sort_unstable();
        Self(took)
    }

    pub(super) fn print(&self, meanwhile: &str) {
        let at = |percent: usize| {
            let place = (self.0.len() * percent / 100).min(self.0.len() - 1);
            self.0[place].as_secs_f64() * 1e3
        };
        print(&format!(
            "| {meanwhile} | {:.2} | {:.2} | {:.2} |",
            at(50),
            at(99),
            at(100)
        ));
    }
}

async fn read(url: String, token: String, mut ended: oneshot::Receiver<()>) -> Vec<Duration> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut took = Vec::new();
    while took.is_empty() || ended.try_recv().is_err() {
        let request = Request::get(&url).header("authorization", &token);
        let request = request.body(Full::default()).expect("a request");
        let began = Instant::now();
        let response = client.request(request).await.expect("an answer");
        assert!(response.status().is_success(), "{}", response.status());
        response.into_body().collect().await.expect("all of it");
        took.push(began.elapsed());
    }
    took
}
