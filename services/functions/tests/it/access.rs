//! Who may call, and how a refusal reads.

use http::Method;
use serde_json::json;

use crate::stage::{Functions, Stage};

async fn one_function() -> Functions {
    Stage::new().function("hello", "return 'hi';").start().await
}

#[tokio::test]
async fn refusals_are_told_apart_as_supabase_does() {
    let functions = one_function().await;
    let anon = functions.stage.key("ANON_KEY");
    let forged = format!("{}x", anon.get(..anon.len() - 2).expect("a token"));
    // Headers of tokens: {"alg":"RS256"}, {"alg":"none"}, {"alg":"PS256<script>"}.
    let rs256 = "eyJhbGciOiJSUzI1NiJ9.e30.AA";
    let none = "eyJhbGciOiJub25lIn0.e30.";
    let ps256 = "eyJhbGciOiJQUzI1NjxzY3JpcHQ-In0.e30.AA";
    let cases = [
        (
            None,
            "UNAUTHORIZED_NO_AUTH_HEADER",
            "Missing authorization header",
        ),
        (
            Some("Basic YTpi".to_owned()),
            "UNAUTHORIZED_INVALID_JWT_FORMAT",
            "Auth header is not 'Bearer {token}'",
        ),
        (
            Some("Bearer nonsense".to_owned()),
            "UNAUTHORIZED_INVALID_JWT_FORMAT",
            "Invalid JWT",
        ),
        (
            Some(format!("Bearer {forged}")),
            "UNAUTHORIZED_LEGACY_JWT",
            "Invalid JWT",
        ),
        (
            Some(format!("Bearer {rs256}")),
            "UNAUTHORIZED_ASYMMETRIC_JWT",
            "Invalid JWT",
        ),
        (
            Some(format!("Bearer {none}")),
            "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM",
            "Unsupported JWT algorithm none",
        ),
        (
            Some(format!("Bearer {ps256}")),
            "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM",
            "Unsupported JWT algorithm PS256script",
        ),
    ];
    for (header, code, message) in cases {
        let mut request = functions.service.get("/hello");
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let refused = request.await.expect_status(401);
        assert_eq!(refused.header("sb-error-code"), Some(code), "{header:?}");
        assert_eq!(
            refused.json(),
            json!({ "code": code, "message": message, "msg": message })
        );
    }
}

#[tokio::test]
async fn keys_count_as_tokens_and_preflights_need_none() {
    let functions = one_function().await;
    for key in ["ANON_KEY", "SERVICE_ROLE_KEY"] {
        let answer = functions
            .service
            .get("/hello")
            .bearer(&functions.stage.key(key))
            .await;
        assert_eq!(answer.expect_status(200).text(), "\"hi\"");
    }
    let _ = functions
        .service
        .request(Method::OPTIONS, "/hello")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_function_may_be_open_to_everybody() {
    let functions = Stage::new()
        .function("open", "return 'hi';")
        .function("closed", "return 'hi';")
        .file("config.toml", "[functions.open]\nverify_jwt = false\n")
        .start()
        .await;
    let _ = functions.service.get("/open").await.expect_status(200);
    let _ = functions.service.get("/closed").await.expect_status(401);
}

#[tokio::test]
async fn the_default_may_be_open_and_a_function_closed() {
    let functions = Stage::new()
        .set("FUNCTIONS_VERIFY_JWT", "false")
        .function("open", "return 'hi';")
        .function("closed", "return 'hi';")
        .file("config.toml", "[functions.closed]\nverify_jwt = true\n")
        .start()
        .await;
    let _ = functions.service.get("/open").await.expect_status(200);
    let _ = functions.service.get("/closed").await.expect_status(401);
}

#[tokio::test]
async fn a_name_of_nothing_is_not_found_with_or_without_a_token() {
    let functions = one_function().await;
    let expected = json!({ "code": "NOT_FOUND", "message": "Requested function was not found" });
    for path in [
        "/no-such",
        "/",
        "/_shared/x",
        "/hello.ts",
        "/..%2fhello",
        "/api/v1/other",
        "/h%65llo",
    ] {
        for request in [functions.get(path), functions.service.get(path)] {
            let refused = request.await.expect_status(404);
            assert_eq!(refused.header("sb-error-code"), Some("NOT_FOUND"), "{path}");
            assert_eq!(refused.json(), expected);
        }
    }
}

#[tokio::test]
async fn only_administrators_see_the_list() {
    let functions = one_function().await;
    let list = "/api/v1/functions";
    let refused = functions.service.get(list).await.expect_status(401);
    assert_eq!(refused.json()["code"], "unauthorized_no_auth_header");
    let _ = functions.get(list).await.expect_status(403);
    let service = functions.stage.key("SERVICE_ROLE_KEY");
    let listed = functions
        .service
        .get(list)
        .bearer(&service)
        .await
        .expect_status(200)
        .json();
    assert_eq!(listed[0]["name"], "hello");
    assert_eq!(listed[0]["entry"], "hello.ts");
    assert_eq!(listed[0]["verify_jwt"], true);
    assert_eq!(listed[0]["is_active"], true);
}
