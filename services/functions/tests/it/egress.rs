//! Functions that say themselves whom they connect to, and reach nobody else.

use std::net::{Ipv4Addr, TcpListener};

use http::Method;
use serde_json::{Value, json};
use testkit::TestResponse;

use crate::stage::{Functions, Stage};

/// A function that tries to connect to each place it is told, and asks the platform.
const CONNECT: &str = "Deno.serve(async (req) => {
    const results = [];
    for (const [hostname, port] of await req.json()) {
        try { (await Deno.connect({ hostname, port })).close(); results.push('REACHED'); }
        catch (error) { results.push(error.name); }
    }
    let api;
    try { api = await (await fetch(Deno.env.get('SUPABASE_URL') + '/hello')).text(); }
    catch (error) { api = String(error); }
    return Response.json({ results, api });
});";

fn limits(egress: &Value) -> String {
    json!({ "selfdb": { "limits": { "egress": egress } } }).to_string()
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Stands where the gateway would.
async fn gateway() -> String {
    let router = axum::Router::new().route("/hello", axum::routing::get(|| async { "hello" }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// What `name` found at `places`; the platform was there for it.
async fn tried(functions: &Functions, name: &str, places: &Value) -> Value {
    let asked = functions.post(name).json(places);
    let answer = asked.await.expect_status(200).json();
    assert_eq!(answer["api"], "hello", "{name}: {answer}");
    answer["results"].clone()
}

#[tokio::test]
async fn only_what_a_function_names_is_reached_and_private_places_only_if_they_are_opened() {
    let (_open, open) = listener();
    let (_closed, closed) = listener();
    let functions = Stage::new()
        .set("API_INTERNAL_URL", &gateway().await)
        .set("FUNCTIONS_EGRESS_PRIVATE", &format!("127.0.0.1:{open}"))
        // Open to the kernel for who names nothing, so that it is Deno that has to refuse them.
        .set("FUNCTIONS_EGRESS_PORTS", &format!("80,443,{open},{closed}"))
        .file("plain/index.ts", CONNECT)
        .file("none/index.ts", CONNECT)
        .file("none/deno.json", &limits(&json!([])))
        .file("one/index.ts", CONNECT)
        .file(
            "one/deno.json",
            &limits(&json!([format!("127.0.0.1:{open}"), "other.example"])),
        )
        .file("name/index.ts", CONNECT)
        .file(
            "name/deno.json",
            &limits(&json!([format!("localhost:{open}"), "localhost"])),
        )
        .start()
        .await;
    let places = json!([
        ["127.0.0.1", open],
        ["127.0.0.1", closed],
        ["127.0.0.2", open],
        ["localhost", open],
        ["::ffff:127.0.0.1", closed],
        ["2130706433", closed],
        ["203.0.113.1", 443],
        ["third.example", 443],
        ["169.254.169.254", 80],
    ]);
    let expected = |reached: &str| {
        let mut all = vec!["NotCapable"; 9];
        all[0] = if reached.is_empty() { all[0] } else { reached };
        json!(all)
    };
    assert_eq!(tried(&functions, "/none", &places).await, expected(""));
    assert_eq!(
        tried(&functions, "/one", &places).await,
        expected("REACHED")
    );
    // A name that leads into a private network is not what was opened.
    assert_eq!(tried(&functions, "/name", &places).await, expected(""));
    let plain = tried(&functions, "/plain", &places).await;
    let plain = plain.as_array().expect("a list");
    assert!(!plain.contains(&json!("REACHED")) || plain[6] == "REACHED");
    assert_eq!(plain[..6], expected("").as_array().expect("a list")[..6]);
}

#[tokio::test]
async fn the_database_stays_within_reach_of_an_empty_list() {
    let stage = Stage::new()
        .set("API_INTERNAL_URL", &gateway().await)
        .file("data/index.ts", &format!("// SUPABASE_DB_URL\n{CONNECT}"))
        .file("data/deno.json", &limits(&json!([])))
        .prepared()
        .await;
    let port: u16 = stage.key("POSTGRES_PORT").parse().expect("a port");
    let functions = stage.start().await;
    let places = json!([
        ["127.0.0.1", port],
        ["127.0.0.2", port],
        ["203.0.113.1", 443]
    ]);
    assert_eq!(
        tried(&functions, "/data", &places).await,
        json!(["REACHED", "NotCapable", "NotCapable"])
    );
}

async fn deploy(functions: &Functions, egress: &Value) -> TestResponse {
    let files = json!({
        "answer/index.ts": "Deno.serve(() => Response.json(1));\n",
        "answer/deno.json": limits(egress),
    });
    let body = json!({ "name": "answer", "files": files });
    let sent = functions.admin(Method::POST, "/api/v1/functions");
    sent.json(&body).await
}

#[tokio::test]
async fn a_list_that_cannot_be_kept_to_is_not_deployed() {
    let functions = Stage::new()
        .set("FUNCTIONS_EGRESS_PRIVATE", "10.1.2.3:5432")
        .start()
        .await;
    for bad in [
        json!(["https://a.example"]),
        json!(["127.1"]),
        json!(["*"]),
        json!("a.example"),
        json!([5432]),
    ] {
        let refused = deploy(&functions, &bad).await.expect_status(422).json();
        let found = &refused["diagnostics"][0];
        let message = found["message"].as_str().expect("a message");
        assert!(message.contains("limits in deno.json"), "{bad}: {refused}");
        assert_eq!(found["file"], "answer/deno.json", "{bad}: {refused}");
        assert_eq!(found["line"], 1, "{bad}: {refused}");
        assert!(found["column"].as_u64() > Some(30), "{bad}: {refused}");
    }
    for private in [
        "127.0.0.1",
        "10.1.2.3",
        "10.1.2.3:443",
        "10.1.2.4:5432",
        "169.254.169.254:80",
        "[::1]:443",
        "[::ffff:10.1.2.3]:5432",
        "[fd00::1]",
    ] {
        let refused = deploy(&functions, &json!([private])).await;
        let refused = refused.expect_status(422).json();
        let message = refused["diagnostics"][0]["message"].to_string();
        assert!(
            message.contains("FUNCTIONS_EGRESS_PRIVATE"),
            "{private}: {refused}"
        );
    }
    let good = json!(["api.example.com", "*.example.com:8443", "10.1.2.3:5432"]);
    let _ = deploy(&functions, &good).await.expect_status(201);
    assert_eq!(functions.json("/answer").await, json!(1));
}
