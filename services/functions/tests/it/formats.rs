//! Both ways to write a function, and what it finds when it runs.

use std::path::Path;

use http::Method;
use serde_json::json;

use crate::stage::Stage;

fn example(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    std::fs::read_to_string(folder.join(path)).expect("an example")
}

#[tokio::test]
async fn the_examples_run_as_they_are() {
    let functions = Stage::new()
        .file("hello.ts", &example("hello.ts"))
        .file(
            "hello-supabase/index.ts",
            &example("hello-supabase/index.ts"),
        )
        .file("_shared/cors.ts", &example("_shared/cors.ts"))
        .start()
        .await;
    let hello = functions.json("/hello?name=ada").await;
    let expected = json!({
        "message": "Hello from SelfDB function!", "method": "GET", "params": { "name": "ada" },
    });
    assert_eq!(hello, expected);

    let supabase = functions
        .post("/hello-supabase")
        .json(&json!({ "name": "Ada" }))
        .await;
    assert_eq!(supabase.header("access-control-allow-origin"), Some("*"));
    assert_eq!(supabase.json(), json!({ "message": "Hello Ada!" }));
    let preflight = functions
        .service
        .request(Method::OPTIONS, "/hello-supabase")
        .await;
    assert_eq!(preflight.expect_status(200).text(), "ok");
}

#[tokio::test]
async fn a_function_sees_the_request_as_its_client_sent_it() {
    let functions = Stage::new()
        .file(
            "echo/index.ts",
            "Deno.serve({ port: 8000 }, async (req, info) => Response.json({
                url: req.url, method: req.method, body: await req.text(),
                region: req.headers.get('x-region'), hop: req.headers.get('connection'),
                client: info.remoteAddr.hostname,
            }, { status: 201, headers: { 'x-own': '1' } }));",
        )
        .start()
        .await;
    let request = functions
        .service
        .request(
            Method::PATCH,
            "/echo/deep/path%20x?a=1&forceFunctionRegion=eu-west-1",
        )
        .bearer(&functions.stage.key("SERVICE_ROLE_KEY"))
        .header("x-region", "eu-west-1")
        .header("x-forwarded-for", "203.0.113.7, 10.0.0.1")
        .body("text");
    let response = request.await.expect_status(201);
    assert_eq!(response.header("x-own"), Some("1"));
    let expected = json!({
        "url": "http://localhost:8000/echo/deep/path%20x?a=1&forceFunctionRegion=eu-west-1",
        "method": "PATCH", "body": "text", "region": "eu-west-1", "hop": null,
        "client": "203.0.113.7",
    });
    assert_eq!(response.json(), expected);
}

#[tokio::test]
async fn selfdb_functions_have_a_context_and_may_answer_plain_values() {
    let functions = Stage::new()
        .function(
            "plain",
            "return { name: ctx.functionName, trigger: ctx.trigger };",
        )
        .function("nothing", "")
        .file(
            "fetcher.ts",
            "export default { fetch: () => new Response('fetched') };",
        )
        .start()
        .await;
    let expected = json!({ "name": "plain", "trigger": { "type": "http" } });
    assert_eq!(functions.json("/plain").await, expected);
    assert_eq!(
        functions.get("/nothing").await.expect_status(204).text(),
        ""
    );
    assert_eq!(functions.get("/fetcher").await.text(), "fetched");
}

#[tokio::test]
async fn the_environment_holds_what_was_granted_and_nothing_else() {
    let functions = Stage::new()
        .file(
            ".env",
            "STRIPE_KEY=sk_test\nSUPABASE_URL=http://evil.example\n",
        )
        .function("env", "return Deno.env.toObject();")
        .start()
        .await;
    let environment = functions.json("/env").await;
    let mut names: Vec<_> = environment.as_object().expect("an object").keys().collect();
    names.retain(|name| !["HOME", "PATH", "TMPDIR", "TZ", "NO_COLOR"].contains(&name.as_str()));
    names.sort();
    let expected = [
        "DENO_DEPLOYMENT_ID",
        "DENO_NODE_SHIM_ACTIVE",
        "SB_EXECUTION_ID",
        "SELFDB_ANON_KEY",
        "SELFDB_URL",
        "STRIPE_KEY",
        "SUPABASE_ANON_KEY",
        "SUPABASE_JWKS",
        "SUPABASE_PUBLISHABLE_KEYS",
        "SUPABASE_SECRET_KEYS",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_URL",
    ];
    assert_eq!(names, expected);
    assert_eq!(environment["SUPABASE_URL"], "http://localhost:8000");
    assert_eq!(
        environment["SUPABASE_ANON_KEY"],
        functions.stage.key("ANON_KEY")
    );
    assert_eq!(environment["STRIPE_KEY"], "sk_test");
    assert_eq!(environment["SUPABASE_JWKS"], r#"{"keys":[]}"#);
    let deployment = environment["DENO_DEPLOYMENT_ID"].as_str().expect("text");
    assert!(deployment.starts_with("selfdb_env_"), "{deployment}");
    let keys: serde_json::Value =
        serde_json::from_str(environment["SUPABASE_SECRET_KEYS"].as_str().expect("text"))
            .expect("JSON");
    assert_eq!(keys["default"], functions.stage.key("SECRET_KEY"));
}

#[tokio::test]
async fn the_health_answers_without_a_token() {
    let functions = Stage::new().function("a", "").start().await;
    let health = functions
        .service
        .get("/health")
        .await
        .expect_status(200)
        .json();
    assert_eq!(health, json!({ "status": "ok", "functions": 1 }));
}
