use http::{Method, StatusCode};
use proptest::prelude::*;

use super::{assert_no_fault, assert_refused};
use crate::api::Api;

async fn send(api: &Api, method: &Method, media: &str, body: Vec<u8>) -> StatusCode {
    let path = if *method == Method::POST {
        "/items"
    } else {
        "/items?name=eq.there"
    };
    let request = api.service.request(method.clone(), path);
    let request = request.bearer(api.db.service_token());
    request
        .header("content-type", media)
        .body(body)
        .await
        .status
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let api = Api::start().await;
    api.db
        .execute("insert into items (name) values ('there')")
        .await;
    let deep = |open: &str, count| open.repeat(count).into_bytes();
    let json = "application/json";
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        (json, deep("[", 100_000)),
        (json, deep("{\"a\":", 100_000)),
        (json, [deep("[", 5_000), deep("]", 5_000)].concat()),
        (json, b"".to_vec()),
        (json, b"{".to_vec()),
        (json, b"{\"name\": 1} x".to_vec()),
        (json, b"{\"name\": \"\xff\xfe\"}".to_vec()),
        (json, b"\xff\xfe".to_vec()),
        (json, b"{\"name\": \"\\u0000\"}".to_vec()),
        (json, b"{\"na\\u0000me\": 1}".to_vec()),
        (json, b"{\"name\": \"\\ud800\"}".to_vec()),
        (json, b"{\"nope\": 1}".to_vec()),
        (json, b"[{\"name\": 1}, {\"id\": 2}]".to_vec()),
        (json, b"[1, 2]".to_vec()),
        (json, b"{\"id\": \"abc\"}".to_vec()),
        (json, b"{\"id\": 1e400}".to_vec()),
        ("text/csv", b"na\"me\n1".to_vec()),
        ("text/csv", b"name\n\"open".to_vec()),
        ("text/csv", b"name,name2\n1".to_vec()),
        ("text/csv", b"name\n\xff".to_vec()),
        ("text/csv", b"name\n\0".to_vec()),
        ("image/png", b"{}".to_vec()),
        ("nonsense", b"{}".to_vec()),
        ("application/xml", b"<a/>".to_vec()),
        ("multipart/form-data", b"--x".to_vec()),
        ("application/x-www-form-urlencoded", b"nope=1".to_vec()),
        ("application/x-www-form-urlencoded", b"name=%ff".to_vec()),
    ];
    let mut answers = Vec::new();
    for (media, body) in bodies {
        for method in [Method::POST, Method::PATCH] {
            let shown = String::from_utf8_lossy(&body)
                .chars()
                .take(60)
                .collect::<String>();
            let status = send(&api, &method, media, body.clone()).await;
            answers.push((format!("{method} {media}: {shown}"), status));
        }
    }
    // Nothing is updated by these, and that there is nothing of the name is not looked up.
    answers.retain(|(asked, _)| !asked.starts_with("PATCH text/csv: name,name2"));
    assert_refused(&answers);
    let there = api
        .service
        .get("/items?select=count()")
        .bearer(api.db.service_token());
    assert!(there.await.status.is_client_error(), "aggregates are off");
}

#[test]
fn any_body_is_taken_or_refused() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let api = runtime.block_on(Api::start());
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("\"name\"".to_owned()),
        Just("\"id\"".to_owned()),
        Just(":".to_owned()),
        Just(",".to_owned()),
        Just("null".to_owned()),
        Just("1e9".to_owned()),
        Just("\n".to_owned()),
        Just("\"".to_owned()),
        Just("name".to_owned()),
        "\\PC{0,8}",
    ];
    let body = proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let media = prop_oneof![
        Just("application/json"),
        Just("text/csv"),
        Just("application/x-www-form-urlencoded"),
    ];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(150));
    let ran = runner.run(&(media, body), |(media, body)| {
        let status = runtime.block_on(send(&api, &Method::POST, media, body.clone().into_bytes()));
        prop_assert!(!status.is_server_error(), "{media}: {body}: {status}");
        Ok(())
    });
    ran.expect("no fault of the server");
    assert_no_fault(&[]);
}
