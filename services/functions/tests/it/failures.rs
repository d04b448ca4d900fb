//! Functions that fail: what their callers are told, and that nobody else notices.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_module_that_does_not_load_answers_boot_error() {
    let functions = Stage::new()
        .file("syntax.ts", "export default function {")
        .file("throws.ts", "throw new Error('at once');")
        .file(
            "missing.ts",
            "import './nowhere.ts'; export default () => {};",
        )
        .file("nothing.ts", "export const a = 1;")
        .file("exits.ts", "Deno.exit(3);")
        .function("good", "return 1;")
        .start()
        .await;
    let message = "Function failed to start (please check logs)";
    for name in ["syntax", "throws", "missing", "nothing", "exits"] {
        let refused = functions.get(&format!("/{name}")).await.expect_status(503);
        assert_eq!(
            refused.header("sb-error-code"),
            Some("BOOT_ERROR"),
            "{name}"
        );
        assert_eq!(
            refused.json(),
            json!({ "code": "BOOT_ERROR", "message": message })
        );
    }
    assert_eq!(functions.json("/good").await, json!(1));
    let service = functions.stage.key("SERVICE_ROLE_KEY");
    let listed = functions
        .service
        .get("/api/v1/functions")
        .bearer(&service)
        .await
        .json();
    let throws = listed
        .as_array()
        .expect("a list")
        .iter()
        .find(|each| each["name"] == "throws");
    let why = throws.expect("listed")["error"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(why.contains("at once"), "its owner is told why: {why}");
}

#[tokio::test]
async fn a_handler_that_throws_fails_its_request_alone() {
    let functions = Stage::new()
        .file(
            "sometimes/index.ts",
            "let calls = 0;
             Deno.serve((req) => {
                calls += 1;
                if (req.url.endsWith('?fail')) throw new Error('secret detail');
                return new Response(String(calls));
             });",
        )
        .start()
        .await;
    assert_eq!(functions.get("/sometimes").await.text(), "1");
    let failed = functions.get("/sometimes?fail").await.expect_status(500);
    assert_eq!(failed.header("sb-error-code"), Some("EDGE_FUNCTION_ERROR"));
    assert_eq!(failed.text(), "Internal Server Error");
    assert_eq!(
        functions.get("/sometimes").await.text(),
        "3",
        "the same process goes on"
    );
}

#[tokio::test]
async fn an_error_outside_of_a_handler_ends_the_process_and_the_next_request_has_a_new_one() {
    let functions = Stage::new()
        .file(
            "outside/index.ts",
            "let calls = 0;
             Deno.serve((req) => {
                calls += 1;
                if (!req.url.endsWith('?fail')) return new Response(String(calls));
                setTimeout(() => { throw new Error('outside'); });
                return new Promise(() => {});
             });",
        )
        .start()
        .await;
    assert_eq!(functions.get("/outside").await.text(), "1");
    let failed = functions.get("/outside?fail").await.expect_status(500);
    let message = "Function exited due to an error (please check logs)";
    assert_eq!(
        failed.json(),
        json!({ "code": "WORKER_ERROR", "message": message })
    );
    assert_eq!(functions.get("/outside").await.text(), "1");
}

#[tokio::test]
async fn on_error_of_deno_serve_is_the_functions_own() {
    let functions = Stage::new()
        .file(
            "own/index.ts",
            "Deno.serve({ onError: (e) => new Response(e.message, { status: 418 }) }, () => {
                throw new Error('teapot');
             });",
        )
        .start()
        .await;
    assert_eq!(
        functions.get("/own").await.expect_status(418).text(),
        "teapot"
    );
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error() {
    let functions = Stage::new()
        .file("none/index.ts", "Deno.serve(() => 'text');")
        .start()
        .await;
    let _ = functions.get("/none").await.expect_status(500);
}
