//! A client of the storage protocol that makes bytes up as it sends them, and keeps none it gets.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, Response};
use serde_json::json;

use super::report;

/// How much is sent at once, in bytes.
const CHUNK: usize = 256 * 1024;

#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// `size` bytes.
pub(super) fn body(size: usize) -> Body {
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    let whole = size / CHUNK;
    let rest = chunk.slice(..size % CHUNK);
    let chunks = stream::repeat(chunk)
        .take(whole)
        .chain(stream::iter([rest]));
    Body::wrap_stream(chunks.map(Ok::<_, std::convert::Infallible>))
}

impl Client {
    pub(super) fn new(base: String, key: String) -> Self {
        // There is one to choose from; it may have been chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            http: reqwest::Client::new(),
            base,
            key,
        }
    }

    async fn post(&self, path: &str, value: serde_json::Value) -> Response {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .bearer_auth(&self.key)
            .header("content-type", "application/json")
            .body(value.to_string());
        let answer = request.send().await.expect("an answer");
        answer.error_for_status().expect("a success")
    }

    pub(super) async fn make_bucket(&self, name: &str) {
        let bucket = json!({ "id": name, "name": name, "public": true });
        self.post("/bucket", bucket).await;
    }

    pub(super) async fn put(&self, bucket: &str, key: &str, size: usize) -> reqwest::Result<()> {
        let request = self
            .http
            .put(format!("{}/object/{bucket}/{key}", self.base));
        let request = request
            .bearer_auth(&self.key)
            .header("content-type", "application/octet-stream")
            .header("content-length", size)
            .body(body(size));
        request.send().await?.error_for_status().map(drop)
    }

    /// Puts `count` objects of 1 MB, so many at once; answers MB/s.
    pub(super) async fn put_many(&self, bucket: &str, count: usize, at_once: usize) -> f64 {
        let put = |number: usize| {
            let (client, bucket) = (self.clone(), bucket.to_owned());
            async move {
                let key = format!("put/{number}");
                client
                    .put(&bucket, &key, 1_000_000)
                    .await
                    .expect("an object");
            }
        };
        rate(count, at_once, put).await
    }

    /// Reads an object to its end; answers how many bytes it had.
    pub(super) async fn read(&self, bucket: &str, key: &str) -> usize {
        let request = self.http.get(self.public_url(bucket, key));
        let mut answer = request.send().await.expect("an answer");
        let mut size = 0;
        while let Some(chunk) = answer.chunk().await.expect("a chunk") {
            size += chunk.len();
        }
        size
    }

    pub(super) fn public_url(&self, bucket: &str, key: &str) -> String {
        format!("{}/object/public/{bucket}/{key}", self.base)
    }

    pub(super) async fn list(&self, bucket: &str, prefix: &str) {
        let listing = json!({ "prefix": prefix, "limit": 100 });
        self.post(&format!("/object/list/{bucket}"), listing).await;
    }

    pub(super) async fn empty(&self, bucket: &str) {
        let path = format!("/bucket/{bucket}/empty");
        self.post(&path, json!({})).await;
    }
}

/// Runs `put` for each of `count` numbers, so many at once; answers MB/s of 1 MB each.
pub(super) async fn rate<F: Future<Output = ()>>(
    count: usize,
    at_once: usize,
    put: impl Fn(usize) -> F,
) -> f64 {
    let begun = Instant::now();
    let puts = stream::iter(0..count).map(put).buffer_unordered(at_once);
    puts.for_each(std::future::ready).await;
    report::number(count) / begun.elapsed().as_secs_f64()
}
