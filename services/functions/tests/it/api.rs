//! The door from inside a function to the platform's own API.

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use common::Service;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use testkit::TestService;

use crate::stage::Stage;

/// A gateway that tells what it was asked.
async fn gateway() -> TestService {
    let tell = |request: Request| async {
        let (head, body) = request.into_parts();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let told = json!({
            "method": head.method.as_str(), "uri": head.uri.to_string(),
            "host": header("host"), "apikey": header("apikey"),
            "forwarded": header("x-forwarded-for"),
        });
        let body = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        axum::Json(json!({ "head": told, "body": text }))
    };
    let moved = || async {
        (
            http::StatusCode::SEE_OTHER,
            [("location", "http://127.0.0.1:1/")],
        )
    };
    let router = Router::new()
        .route("/moved", any(moved))
        .fallback(any(tell));
    TestService::on_socket(Service {
        name: "gateway",
        router,
        tasks: Vec::new(),
        checks: Vec::new(),
    })
    .await
}

#[tokio::test]
async fn the_platforms_address_leads_to_the_gateway_and_nothing_else_there() {
    let gateway = gateway().await;
    let functions = Stage::new()
        .set("API_INTERNAL_URL", gateway.url())
        .function(
            "client",
            "const url = Deno.env.get('SUPABASE_URL'), apikey = Deno.env.get('SUPABASE_ANON_KEY');
             const headers = { apikey, 'x-forwarded-for': '203.0.113.9' };
             const get = await fetch(`${url}/rest/v1/todos?select=*&id=eq.1`, { headers });
             const post = await fetch(new Request(new URL('/rest/v1/todos', url), {
                method: 'POST', headers, body: JSON.stringify({ a: 1 }),
             }));
             const moved = await fetch(url + '/moved');
             const elsewhere = await fetch(url.replace('8000', '8001')).catch((error) => String(error.cause));
             return { url: get.url, get: await get.json(), post: await post.json(),
                moved: [moved.status, moved.headers.get('location')], elsewhere };",
        )
        .start()
        .await;
    let answer = functions.json("/client").await;
    let told = |method: &str, uri: &str, body: Value| {
        let apikey = functions.stage.key("ANON_KEY");
        json!({
            "head": {
                "method": method, "uri": uri, "host": "localhost:8000", "apikey": apikey,
                "forwarded": null,
            },
            "body": body,
        })
    };
    assert_eq!(
        answer["url"],
        "http://localhost:8000/rest/v1/todos?select=*&id=eq.1"
    );
    assert_eq!(
        answer["get"],
        told("GET", "/rest/v1/todos?select=*&id=eq.1", json!(""))
    );
    assert_eq!(
        answer["post"],
        told("POST", "/rest/v1/todos", json!("{\"a\":1}"))
    );
    assert_eq!(answer["moved"], json!([303, "http://127.0.0.1:1/"]));
    let elsewhere = answer["elsewhere"].as_str().expect("a reason");
    assert!(elsewhere.contains("Requires net access"), "{elsewhere}");
}

#[tokio::test]
async fn a_gateway_that_is_away_is_said_so() {
    let functions = Stage::new()
        .set("API_INTERNAL_URL", "http://127.0.0.1:1")
        .function(
            "client",
            "return (await fetch(Deno.env.get('SUPABASE_URL'))).status;",
        )
        .start()
        .await;
    assert_eq!(functions.json("/client").await, json!(502));
}
