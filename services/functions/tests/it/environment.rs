//! Variables of the project and of functions: sealed, masked, and found where they belong.

use http::Method;
use serde_json::{Value, json};

use crate::stage::{Functions, Stage, until};

async fn put(functions: &Functions, path: &str, body: Value) -> u16 {
    let path = format!("/api/v1/functions{path}");
    functions
        .admin(Method::POST, &path)
        .json(&body)
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn variables_are_found_by_the_functions_they_are_for() {
    let body = "return [Deno.env.get('A') ?? null, Deno.env.get('B') ?? null];";
    let functions = Stage::new()
        .file(".env", "A='of the file'\nB='of the file'\n")
        .function("one", body)
        .function("two", body)
        .start()
        .await;
    assert_eq!(
        functions.json("/one").await,
        json!(["of the file", "of the file"])
    );
    let several = json!([{ "key": "A", "value": "of all" }, { "name": "B", "value": "of all", "is_secret": false }]);
    assert_eq!(put(&functions, "/env", several).await, 201);
    assert_eq!(
        put(
            &functions,
            "/one/env",
            json!({ "key": "A", "value": "of one" })
        )
        .await,
        201
    );
    let found = |name: &'static str, expected: Value| {
        let functions = &functions;
        async move {
            until(|| async { (functions.json(name).await == expected).then_some(()) }).await;
        }
    };
    found("/one", json!(["of one", "of all"])).await;
    found("/two", json!(["of all", "of all"])).await;

    let listed = functions.admin_json("/api/v1/functions/env").await;
    assert_eq!(
        (&listed[0]["key"], &listed[0]["value"]),
        (&json!("A"), &json!("********"))
    );
    assert_eq!(
        (&listed[1]["key"], &listed[1]["value"]),
        (&json!("B"), &json!("of all"))
    );
    let rows: Vec<Vec<u8>> = pg::sqlx::query_scalar("select sealed from functions.environment")
        .fetch_all(&functions.stage.database().admin_pool())
        .await
        .expect("rows");
    assert_eq!(rows.len(), 3);
    for sealed in rows {
        assert!(
            !String::from_utf8_lossy(&sealed).contains("of "),
            "it is sealed"
        );
    }

    let gone = functions
        .admin(Method::DELETE, "/api/v1/functions/one/env/A")
        .await;
    let _ = gone.expect_status(204);
    found("/one", json!(["of all", "of all"])).await;
    let again = functions
        .admin(Method::DELETE, "/api/v1/functions/one/env/A")
        .await;
    let _ = again.expect_status(404);
}

#[tokio::test]
async fn names_of_the_platform_and_nonsense_are_refused() {
    let functions = Stage::new().function("one", "return 1;").start().await;
    for name in ["SUPABASE_URL", "SELFDB_X", "1A", "A-B", "", "A B"] {
        let body = json!({ "key": name, "value": "x" });
        assert_eq!(put(&functions, "/env", body).await, 400, "{name}");
    }
    assert_eq!(put(&functions, "/env", json!({ "key": "A" })).await, 400);
    assert_eq!(
        put(&functions, "/none/env", json!({ "key": "A", "value": "x" })).await,
        404
    );
    let anon = functions
        .post("/api/v1/functions/env")
        .json(&json!({ "key": "A", "value": "x" }));
    let _ = anon.await.expect_status(403);
}

#[tokio::test]
async fn without_a_key_nothing_is_sealed() {
    let functions = Stage::new().set("FUNCTIONS_SECRETS_KEY", "").start().await;
    let body = json!({ "key": "A", "value": "x" });
    let path = "/api/v1/functions/env";
    let refused = functions
        .admin(Method::POST, path)
        .json(&body)
        .await
        .expect_status(501);
    assert_eq!(refused.json()["code"], "no_secrets_key");
}
