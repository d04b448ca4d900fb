//! Deploying by the API: versions, what is refused, and going back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use functions::Config;
use http::Method;
use serde_json::{Value, json};
use testkit::{TestResponse, TestService};

use crate::stage::{BINARY, Functions, Stage, until};

const FUNCTIONS: &str = "/api/v1/functions";

async fn send(functions: &Functions, method: Method, path: &str, body: Value) -> TestResponse {
    let path = format!("{FUNCTIONS}{path}");
    functions.admin(method, &path).json(&body).await
}

async fn roll_back(functions: &Functions, version: u32) -> TestResponse {
    let body = json!({ "version": version });
    send(functions, Method::POST, "/answer/rollback", body).await
}

async fn create(functions: &Functions, name: &str, code: &str) -> Value {
    let body = json!({ "name": name, "code": code });
    let made = send(functions, Method::POST, "", body).await;
    made.expect_status(201).json()
}

#[tokio::test]
async fn code_is_deployed_changed_and_rolled_back() {
    let functions = Stage::new().start().await;
    let made = create(&functions, "answer", "export default () => 1;\n").await;
    assert_eq!(
        (
            &made["name"],
            &made["version"],
            &made["origin"],
            &made["code"]
        ),
        (
            &json!("answer"),
            &json!(1),
            &json!("api"),
            &json!("export default () => 1;\n")
        )
    );
    assert_eq!(functions.json("/answer").await, json!(1));
    let again = json!({ "name": "answer", "code": "export default () => 1;" });
    let again = send(&functions, Method::POST, "", again).await;
    assert_eq!(again.expect_status(409).json()["code"], "conflict");

    let id = made["id"].as_str().expect("an id");
    let change = json!({ "code": "export default () => 2;\n", "description": "two" });
    let changed = send(&functions, Method::PUT, &format!("/{id}"), change.clone()).await;
    let changed = changed.expect_status(200).json();
    assert_eq!(
        (&changed["version"], &changed["description"]),
        (&json!(2), &json!("two"))
    );
    assert_eq!(functions.json("/answer").await, json!(2));
    // The same code is the same version.
    let same = send(&functions, Method::PUT, "/answer", change).await;
    assert_eq!(same.json()["version"], json!(2));

    let versions = functions
        .admin_json(&format!("{FUNCTIONS}/answer/versions"))
        .await;
    assert_eq!(
        (
            &versions[0]["version"],
            &versions[1]["version"],
            &versions[2]
        ),
        (&json!(2), &json!(1), &Value::Null)
    );
    assert_eq!(
        (&versions[0]["is_current"], &versions[1]["is_current"]),
        (&json!(true), &json!(false))
    );
    let first = functions
        .admin_json(&format!("{FUNCTIONS}/answer/versions/1"))
        .await;
    assert_eq!(
        first["files"],
        json!({ "answer/index.ts": "export default () => 1;\n" })
    );
    let diff = functions
        .admin_json(&format!("{FUNCTIONS}/answer/versions/2/diff"))
        .await;
    let text = diff[0]["diff"].as_str().expect("a diff");
    assert!(
        text.contains("-export default () => 1;\n+export default () => 2;\n"),
        "{text}"
    );

    let back = roll_back(&functions, 1).await;
    let _ = back.expect_status(200);
    assert_eq!(functions.json("/answer").await, json!(1));
    let unknown = roll_back(&functions, 9).await;
    assert_eq!(unknown.expect_status(404).json()["code"], "not_found");
}

#[tokio::test]
async fn functions_are_switched_off_and_deleted() {
    let functions = Stage::new().start().await;
    let _ = create(&functions, "answer", "export default () => 1;").await;
    let off = send(
        &functions,
        Method::PUT,
        "/answer",
        json!({ "is_active": false }),
    )
    .await;
    assert_eq!(off.json()["is_active"], json!(false));
    let _ = functions.get("/answer").await.expect_status(404);
    let _ = send(
        &functions,
        Method::PUT,
        "/answer",
        json!({ "is_active": true, "verify_jwt": false }),
    )
    .await;
    let _ = functions.service.get("/answer").await.expect_status(200);
    let gone = functions
        .admin(Method::DELETE, &format!("{FUNCTIONS}/answer"))
        .await;
    let _ = gone.expect_status(204);
    let _ = functions.get("/answer").await.expect_status(404);
}

#[tokio::test]
async fn a_broken_deploy_says_where_and_leaves_the_old_version_serving() {
    let functions = Stage::new().start().await;
    let _ = create(&functions, "answer", "export default () => 1;").await;
    for (code, check, line, column) in [
        (
            "export default () => 1;\nexport const x = {;\n",
            "parse",
            Some(2),
            Some(19),
        ),
        (
            "import './nowhere.ts';\nexport default () => 1;",
            "graph",
            Some(1),
            Some(8),
        ),
        (
            "import x from 'file:///etc/passwd' with { type: 'text' };\nexport default () => x;",
            "graph",
            Some(1),
            Some(15),
        ),
        (
            "import '../../../outside.ts';\nexport default () => 1;",
            "graph",
            Some(1),
            Some(8),
        ),
        ("throw new Error('at once');", "start", Some(1), Some(7)),
        ("export default () => {", "start", Some(1), Some(23)),
        ("export const nothing = 1;", "start", None, None),
    ] {
        let refused = send(&functions, Method::PUT, "/answer", json!({ "code": code })).await;
        let refused = refused.expect_status(422).json();
        assert_eq!(refused["code"], "invalid_code");
        let errors = refused["diagnostics"].as_array().expect("a list").iter();
        let errors: Vec<_> = errors.filter(|one| one["severity"] == "error").collect();
        assert_eq!(errors.len(), 1, "{code}: {errors:?}");
        assert_eq!(
            (
                &errors[0]["check"],
                &errors[0]["line"],
                &errors[0]["column"]
            ),
            (&json!(check), &json!(line), &json!(column)),
            "{code}: {errors:?}"
        );
        assert_eq!(functions.json("/answer").await, json!(1), "{code}");
    }
    for body in [
        json!({ "files": { "../x.ts": "" }, "entry": "../x.ts" }),
        json!({ "files": { "a/b.ts": "" }, "entry": "a/c.ts" }),
        json!({ "code": 7 }),
    ] {
        let refused = send(&functions, Method::PUT, "/answer", body.clone()).await;
        assert_eq!(
            refused.expect_status(400).json()["code"],
            "invalid",
            "{body}"
        );
    }
    let versions = functions
        .admin_json(&format!("{FUNCTIONS}/answer/versions"))
        .await;
    assert_eq!(versions.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn code_is_linted_and_validated_without_being_deployed() {
    let functions = Stage::new().start().await;
    let code = "export default function handler(unused: number) {\n  return undefined + 'x';\n}\n";
    let body = json!({ "code": code });
    let linted = send(&functions, Method::POST, "/lint", body.clone()).await;
    let linted = linted.expect_status(200).json();
    assert_eq!(linted["valid"], json!(true));
    let rule = &linted["diagnostics"][0];
    assert_eq!(
        (
            &rule["code"],
            &rule["severity"],
            &rule["line"],
            &rule["column"]
        ),
        (
            &json!("no-unused-vars"),
            &json!("warning"),
            &json!(1),
            &json!(33)
        )
    );
    let wrong = json!({ "code": "export default (): number => 'text';\n" });
    let valid = send(&functions, Method::POST, "/validate", wrong)
        .await
        .expect_status(200)
        .json();
    assert_eq!(valid["valid"], json!(false));
    let types = &valid["diagnostics"][0];
    assert_eq!(
        (&types["check"], &types["code"], &types["line"]),
        (&json!("types"), &json!("TS2322"), &json!(1))
    );
    assert_eq!(functions.admin_json(FUNCTIONS).await, json!([]));
    let anon = functions.stage.key("ANON_KEY");
    let refused = functions
        .service
        .post("/api/v1/functions/lint")
        .bearer(&anon)
        .json(&body)
        .await;
    let _ = refused.expect_status(403);
}

#[tokio::test]
async fn the_folders_versions_are_kept_and_can_be_gone_back_to() {
    let functions = Stage::new().function("answer", "return 1;").start().await;
    assert_eq!(functions.json("/answer").await, json!(1));
    functions
        .stage
        .write("answer.ts", "export default () => 2;");
    until(|| async { (functions.json("/answer").await == json!(2)).then_some(()) }).await;
    let back = roll_back(&functions, 1).await;
    let _ = back.expect_status(200);
    assert_eq!(functions.json("/answer").await, json!(1));
    let kept = functions
        .admin(Method::DELETE, &format!("{FUNCTIONS}/answer"))
        .await;
    let _ = kept.expect_status(409);
    // It stays, until the file says something else.
    functions
        .stage
        .write("answer.ts", "export default () => 3;");
    until(|| async { (functions.json("/answer").await == json!(3)).then_some(()) }).await;
    let versions = functions
        .admin_json(&format!("{FUNCTIONS}/answer/versions"))
        .await;
    assert_eq!(versions.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn what_is_listed_is_served_on_every_node() {
    let functions = Stage::new().start().await;
    let mut other = functions.stage.environment.clone();
    // It would not look by itself while this runs.
    other.set("FUNCTIONS_WATCH_MILLISECONDS", "600000");
    let other = TestService::start(testkit::config::<Config>(&other).with_launcher(BINARY)).await;
    let _ = create(&functions, "answer", "export default () => 1;").await;
    let key = functions.stage.key("ANON_KEY");
    let asked = other.get("/answer").bearer(&key).await;
    assert_eq!(asked.expect_status(200).json(), json!(1));
    let _ = other.get("/nobody").bearer(&key).await.expect_status(404);
    for number in 0..12 {
        let name = format!("new-{number}");
        let file = format!("{name}.ts");
        functions.stage.write(&file, "export default () => 2;");
        let versions = format!("{FUNCTIONS}/{name}/versions");
        until(|| async {
            let listed = functions.admin(Method::GET, &versions).await;
            (listed.status == 200).then_some(())
        })
        .await;
        assert_eq!(functions.json(&format!("/{name}")).await, json!(2));
    }
}

#[tokio::test]
async fn what_one_node_deploys_another_one_serves() {
    let functions = Stage::new().start().await;
    let _ = create(&functions, "answer", "export default () => 1;").await;
    let other = TestService::start(functions.stage.config()).await;
    let anon = functions.stage.key("ANON_KEY");
    let ask = || async { other.get("/answer").bearer(&anon).await.text() };
    assert_eq!(ask().await, "1");
    let change = json!({ "code": "export default () => 2;" });
    let _ = send(&functions, Method::PUT, "/answer", change)
        .await
        .expect_status(200);
    until(|| async { (ask().await == "2").then_some(()) }).await;
}

#[tokio::test]
async fn deploys_under_load_lose_no_request_and_never_go_back() {
    let functions = Stage::new().start().await;
    let _ = create(&functions, "answer", "export default () => 0;").await;
    let (deployed, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let calling = async || {
        let mut calls = 0;
        while !done.load(Ordering::SeqCst) {
            let least = deployed.load(Ordering::SeqCst);
            let answer = functions.json("/answer").await.as_u64().expect("a number");
            assert!(answer >= least, "{answer} after {least} was deployed");
            calls += 1;
        }
        calls
    };
    let deploying = async {
        for number in 1..=6 {
            let body = json!({ "code": format!("export default () => {number};") });
            let sent = send(&functions, Method::PUT, "/answer", body).await;
            let _ = sent.expect_status(200);
            deployed.store(number, Ordering::SeqCst);
        }
        done.store(true, Ordering::SeqCst);
    };
    let ((), one, two, three) = tokio::join!(deploying, calling(), calling(), calling());
    assert!(one + two + three > 6, "they called all the while");
}
