//! Bodies, paths and headers that mean no good: clear 4xx answers in both dialects.

use serde_json::json;

use crate::support::{Instance, PASSWORD, assert_error};

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let instance = Instance::new().await;
    let deep = format!("{{\"email\":{}", "[".repeat(100_000));
    let cases = [
        "",
        "{",
        "null",
        "[]",
        "\"text\"",
        r#"{"email":"a@b.c","email":"d@e.f","password":"correct-horse-1"}"#,
        r#"{"email":"a@b.c","password":"correct-horse-1","data":{"x":1,"x":2}}"#,
        r#"{"email":5,"password":"correct-horse-1"}"#,
        r#"{"email":"a@b.c","password":"correct-horse-1","data":{"x":"\u0000"}}"#,
        r#"{"email":"a@b.c","password":"correct\u0000horse"}"#,
        r#"{"email":"a@b.c","password":"correct-horse-1"} trailing"#,
        &deep,
    ];
    for body in cases {
        for path in ["/signup", "/token?grant_type=password"] {
            let response = instance.service.post(path).body(body.to_owned()).await;
            assert_error(&response, 400, "bad_json");
        }
    }
    let list = json!({ "email": "a@b.c", "password": PASSWORD, "data": [1] });
    let response = instance.service.post("/signup").json(&list).await;
    assert_error(&response, 400, "bad_json");
    assert_eq!(instance.number("select count(*) from auth.users").await, 0);
}

#[tokio::test]
async fn long_bodies_are_refused() {
    let instance = Instance::new().await;
    let long = "y".repeat(10 * 1024 * 1024);
    let body =
        format!(r#"{{"email":"a@b.c","password":"correct-horse-1","data":{{"x":"{long}"}}}}"#);
    for path in [
        "/signup",
        "/token?grant_type=password",
        "/token?grant_type=refresh_token",
    ] {
        let response = instance.service.post(path).body(body.clone()).await;
        assert_error(&response, 413, "validation_failed");
    }
    let response = instance.service.post("/api/v1/auth/login").body(body);
    let response = response.await.expect_status(413);
    assert_eq!(response.json()["code"], "validation_failed");
}

#[tokio::test]
async fn queries_and_paths_that_cannot_be_read_are_refused_in_the_dialect() {
    let instance = Instance::new().await;
    let service = &instance.service;
    let session = instance.sign_up("ada@example.com").await;
    let twice = service.post("/token?grant_type=password&grant_type=refresh_token");
    assert_error(&twice.await, 400, "validation_failed");
    let logout = service.post("/logout?scope=local&scope=global");
    let logout = logout.bearer(&session.access_token).await;
    assert_error(&logout, 400, "validation_failed");
    let path = instance.admin(service.get("/admin/users/%FF")).await;
    assert_error(&path, 400, "validation_failed");
    let skip = instance.admin(service.get("/api/v1/users?skip=-1")).await;
    assert_eq!(skip.expect_status(400).json()["code"], "validation_failed");
}

#[tokio::test]
async fn unknown_routes_answer_in_the_dialect_of_their_interface() {
    let instance = Instance::new().await;
    for path in ["/saml", "/admin/everything", "/x"] {
        assert_error(
            &instance.service.post(path).json(&json!({})).await,
            404,
            "not_found",
        );
    }
    assert_error(
        &instance.service.delete("/signup").await,
        405,
        "method_not_allowed",
    );
    let response = instance
        .service
        .get("/api/v1/users/me/friends")
        .await
        .expect_status(404);
    assert_eq!(
        response.json(),
        json!({ "detail": "Not found", "code": "not_found" })
    );
    let response = instance
        .service
        .get("/api/v1/auth/login")
        .await
        .expect_status(405);
    assert_eq!(response.json()["code"], "method_not_allowed");
}

#[tokio::test]
async fn clients_choose_the_dialect_of_errors() {
    let instance = Instance::new().await;
    let ask = |version: Option<&str>| {
        let request = instance.sign_in("a@b.c", "wrong-password");
        match version {
            Some(version) => request.header("x-supabase-api-version", version),
            None => request,
        }
    };
    let old = json!({
        "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials",
    });
    let new = json!({ "code": "invalid_credentials", "message": "Invalid login credentials" });
    for version in [None, Some("2023-12-31"), Some("latest"), Some("")] {
        let response = ask(version).await.expect_status(400);
        assert_eq!(response.json(), old, "{version:?}");
        assert_eq!(response.header("x-supabase-api-version"), None);
    }
    for version in ["2024-01-01", "2025-06-30"] {
        let response = ask(Some(version)).await.expect_status(400);
        assert_eq!(response.json(), new, "{version}");
        assert_eq!(
            response.header("x-supabase-api-version"),
            Some("2024-01-01")
        );
    }
}
