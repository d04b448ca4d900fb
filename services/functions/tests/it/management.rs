//! Deploying as Supabase's command line does it.

use http::Method;
use serde_json::{Value, json};
use testkit::TestResponse;

use crate::stage::{Functions, Stage, until};

const TOKEN: &str = "sbp_0102030405060708090a0b0c0d0e0f1011121314";
const FORM: &str = "multipart/form-data; boundary=xyz";

/// A form with `metadata` and files by their paths.
fn form(metadata: &str, files: &[(&str, &str)]) -> String {
    let mut text =
        format!("--xyz\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{metadata}\r\n");
    for (path, content) in files {
        let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{path}\"");
        let kind = "Content-Type: application/octet-stream";
        text += &["--xyz", &head, kind, "", content, ""].join("\r\n");
    }
    text + "--xyz--\r\n"
}

async fn started() -> Functions {
    Stage::new()
        .set("FUNCTIONS_ACCESS_TOKEN", TOKEN)
        .start()
        .await
}

async fn ask(functions: &Functions, method: Method, path: &str) -> TestResponse {
    let path = format!("/v1/projects/any-project/{path}");
    functions.service.request(method, &path).bearer(TOKEN).await
}

async fn deploy(functions: &Functions, slug: &str, form: String) -> TestResponse {
    let path = format!("/v1/projects/any-project/functions/deploy?slug={slug}");
    let sent = functions.service.post(&path).bearer(TOKEN);
    sent.header("content-type", FORM).body(form).await
}

const METADATA: &str = r#"{ "name": "greet", "entrypoint_path": "supabase/functions/greet/index.ts",
    "import_map_path": "supabase/functions/greet/deno.json", "verify_jwt": false, "static_patterns": [] }"#;
const FILES: [(&str, &str); 3] = [
    (
        "supabase/functions/greet/index.ts",
        "import { word } from 'words'; Deno.serve(() => Response.json([word, Deno.env.get('NAME') ?? null]));",
    ),
    (
        "supabase/functions/greet/deno.json",
        r#"{ "imports": { "words": "../_shared/words.ts" } }"#,
    ),
    (
        "supabase/functions/_shared/words.ts",
        "export const word = 'hello';",
    ),
];

#[tokio::test]
async fn a_form_of_files_becomes_a_function_that_can_be_read_back_and_deleted() {
    let functions = Box::pin(started()).await;
    let made = deploy(&functions, "greet", form(METADATA, &FILES)).await;
    let made = made.expect_status(201).json();
    for (member, value) in [
        ("slug", json!("greet")),
        ("status", json!("ACTIVE")),
        ("version", json!(1)),
        ("verify_jwt", json!(false)),
        ("import_map", json!(true)),
        (
            "entrypoint_path",
            json!("supabase/functions/greet/index.ts"),
        ),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert!(made["created_at"].as_i64() > Some(1_600_000_000_000));
    let called = functions.service.get("/greet").await.expect_status(200);
    assert_eq!(called.json(), json!(["hello", null]));

    let listed = ask(&functions, Method::GET, "functions").await;
    assert_eq!(listed.expect_status(200).json(), json!([made]));
    let shown = ask(&functions, Method::GET, "functions/greet").await;
    assert_eq!(shown.expect_status(200).json(), made);
    let confirmed = ask(&functions, Method::PUT, "functions").await;
    assert_eq!(
        confirmed.expect_status(200).json(),
        json!({ "functions": [made] })
    );
    let body = ask(&functions, Method::GET, "functions/greet/body").await;
    let kind = body.header("content-type").expect("a type").to_owned();
    assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    let text = body.text();
    for (path, content) in FILES {
        assert!(text.contains(&format!("filename=\"{path}\"")), "{text}");
        assert!(text.contains(content), "{text}");
    }
    let _ = ask(&functions, Method::DELETE, "functions/greet")
        .await
        .expect_status(200);
    let _ = ask(&functions, Method::GET, "functions/greet")
        .await
        .expect_status(404);
}

#[tokio::test]
async fn the_import_map_that_is_sent_by_its_path_counts() {
    let functions = Box::pin(started()).await;
    let metadata = json!({ "entrypoint_path": "functions/a/index.ts", "verify_jwt": false,
        "import_map_path": "functions/maps/map.json" });
    let entry = (
        "functions/a/index.ts",
        "import { word } from 'word'; Deno.serve(() => Response.json(word));",
    );
    let word = ("functions/word.ts", "export const word = 1;");
    let map = (
        "functions/maps/map.json",
        r#"{ "imports": { "word": "../word.ts" } }"#,
    );
    let whole = form(&metadata.to_string(), &[entry, word, map]);
    let made = deploy(&functions, "mapped", whole).await.expect_status(201);
    assert_eq!(made.json()["import_map"], json!(true));
    let answer = functions.service.get("/mapped").await.expect_status(200);
    assert_eq!(answer.json(), json!(1));
    let without = form(&metadata.to_string(), &[entry, word]);
    let refused = deploy(&functions, "mapped", without)
        .await
        .expect_status(400);
    assert!(
        refused
            .text()
            .contains("there is no file functions/maps/map.json")
    );
}

#[tokio::test]
async fn secrets_are_set_shown_as_digests_and_unset() {
    let functions = Box::pin(started()).await;
    let _ = deploy(&functions, "greet", form(METADATA, &FILES))
        .await
        .expect_status(201);
    let path = "/v1/projects/any-project/secrets";
    let set = functions
        .service
        .post(path)
        .bearer(TOKEN)
        .json(&json!([{ "name": "NAME", "value": "Ada" }]));
    let _ = set.await.expect_status(201);
    let listed = ask(&functions, Method::GET, "secrets").await.json();
    assert_eq!(listed[0]["name"], "NAME");
    assert_eq!(listed[0]["value"].as_str().map(str::len), Some(64));
    assert!(!listed.to_string().contains("Ada"));
    until(|| async {
        let called = functions.service.get("/greet").await.json();
        (called == json!(["hello", "Ada"])).then_some(())
    })
    .await;
    let unset = functions
        .service
        .request(Method::DELETE, path)
        .bearer(TOKEN)
        .json(&json!(["NAME", "NOBODY"]));
    let _ = unset.await.expect_status(200);
    let listed = ask(&functions, Method::GET, "secrets").await.json();
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn whoever_is_no_administrator_and_whatever_is_no_function_is_refused() {
    let functions = Box::pin(started()).await;
    let path = "/v1/projects/any-project/functions";
    let _ = functions.service.get(path).await.expect_status(401);
    let _ = functions.get(path).await.expect_status(403);
    for wrong in ["sbp_0102030405060708090a0b0c0d0e0f1011121315", "x"] {
        let asked = functions.service.get(path).bearer(wrong);
        let _ = asked.await.expect_status(401);
    }
    let _ = functions.admin(Method::GET, path).await.expect_status(200);

    let entry = |path: &str| json!({ "entrypoint_path": path }).to_string();
    let cases: [(&str, String, &str); 8] = [
        (
            "1st",
            form(&entry("a.ts"), &[("a.ts", "")]),
            "no function's name",
        ),
        (
            "",
            form(&entry("a.ts"), &[("a.ts", "")]),
            "no function's name",
        ),
        ("good", form("{}", &[("a.ts", "")]), "metadata"),
        ("good", form("nonsense", &[("a.ts", "")]), "metadata"),
        (
            "good",
            form(&entry("b.ts"), &[("a.ts", "")]),
            "there is no file",
        ),
        (
            "good",
            form(&entry("a.ts"), &[("../../etc/a.ts", "")]),
            "cannot be the path",
        ),
        (
            "good",
            form(&entry("/etc/passwd"), &[("a.ts", "")]),
            "cannot be the path",
        ),
        (
            "good",
            "--xyz\r\nnonsense".to_owned(),
            "the form cannot be read",
        ),
    ];
    for (slug, form, expected) in cases {
        let refused = deploy(&functions, slug, form).await.expect_status(400);
        let message = refused.json()["message"].as_str().map(str::to_owned);
        let message = message.expect("a message");
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let broken = form(&entry("a.ts"), &[("a.ts", "Deno.serve(() => {")]);
    let refused = deploy(&functions, "good", broken).await.expect_status(422);
    let message: Value = refused.json();
    let message = message["message"].as_str().expect("a message");
    assert!(message.contains("a.ts:1:"), "{message}");
    assert_eq!(
        ask(&functions, Method::GET, "functions").await.json(),
        json!([])
    );
}
