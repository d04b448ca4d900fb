//! Single requests, to prepare what is measured.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::load;

/// Whether `url` answers with a 2xx.
pub(super) async fn is_well(url: &str) -> bool {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let url = url.parse().expect("a URL");
    let answer = client.get(url).await;
    answer.is_ok_and(|response| response.status().is_success())
}

/// Sends `request` once, with 1 for its key.
pub(super) async fn send(request: &load::Request) -> Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let url = request.url.replacen("%015d", "000000000000777", 1);
    let url = url.replacen("%d", "777", 1);
    let mut building = Request::builder().method(request.method).uri(url);
    for (name, value) in &request.headers {
        building = building.header(*name, value);
    }
    if let Some(file) = &request.tokens {
        let tokens = std::fs::read_to_string(file).expect("tokens");
        let token = tokens.lines().next().expect("a token");
        building = building.header("authorization", format!("Bearer {token}"));
    }
    let sent = building.body(Full::from(request.body.clone()));
    let response = client.request(sent.expect("a request")).await;
    let (parts, body) = response.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    Response::from_parts(parts, body)
}

/// Sends `request`, and gives what a success says.
pub(super) async fn ask(request: &load::Request) -> Bytes {
    let response = send(request).await;
    let text = String::from_utf8_lossy(response.body());
    let status = response.status();
    assert!(
        status.is_success(),
        "{} {}: {status} {text}",
        request.method,
        request.url
    );
    response.into_body()
}
