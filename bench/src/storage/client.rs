//! A client of the storage protocol that makes bytes up as it sends them, and keeps none it gets.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, Response};
use serde_json::{Value, json};

/// How much is sent at once, in bytes.
const CHUNK: usize = 256 * 1024;
const BUCKET: &str = "bench";

pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// `size` bytes.
pub(super) fn body(size: usize) -> Body {
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    let whole = stream::repeat(chunk.clone()).take(size / CHUNK);
    let chunks = whole.chain(stream::iter([chunk.slice(..size % CHUNK)]));
    Body::wrap_stream(chunks.map(Ok::<_, std::convert::Infallible>))
}

impl Client {
    /// One that acts as the service, on a public bucket that it makes.
    pub(super) async fn new(base: String, key: String) -> Self {
        let client = Self {
            http: reqwest::Client::new(),
            base,
            key,
        };
        let bucket = json!({ "id": BUCKET, "name": BUCKET, "public": true });
        client.post("/bucket", bucket).await;
        client
    }

    async fn post(&self, path: &str, value: Value) -> Response {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .bearer_auth(&self.key)
            .header("content-type", "application/json")
            .body(value.to_string());
        let answer = request.send().await.expect("an answer");
        answer.error_for_status().expect("a success")
    }

    pub(super) async fn put(&self, key: &str, size: usize) -> reqwest::Result<()> {
        let url = format!("{}/object/{BUCKET}/{key}", self.base);
        let request = self
            .http
            .post(url)
            .bearer_auth(&self.key)
            .header("x-upsert", "true")
            .header("content-type", "application/octet-stream")
            .header("content-length", size)
            .body(body(size));
        request.send().await?.error_for_status().map(drop)
    }

    /// Puts 1 MB; answers whether that was taken.
    pub(super) async fn put_one(&self, number: usize) -> bool {
        self.put(&format!("put/{number}"), 1_000_000).await.is_ok()
    }

    /// Reads an object to its end; answers how many bytes it had.
    pub(super) async fn read(&self, key: &str) -> usize {
        let request = self.http.get(self.public_url(key));
        let mut answer = request.send().await.expect("an answer");
        let mut size = 0;
        while let Some(chunk) = answer.chunk().await.expect("a chunk") {
            size += chunk.len();
        }
        size
    }

    pub(super) fn public_url(&self, key: &str) -> String {
        format!("{}/object/public/{BUCKET}/{key}", self.base)
    }

    /// Asks for a page of 100 under a prefix; answers how many entries it has.
    pub(super) async fn list(&self, prefix: &str) -> usize {
        let listing = json!({ "prefix": prefix, "limit": 100 });
        let page = self.post(&format!("/object/list/{BUCKET}"), listing).await;
        let page = page.bytes().await.expect("a page");
        let entries: Vec<Value> = serde_json::from_slice(&page).expect("entries");
        entries.len()
    }
}
