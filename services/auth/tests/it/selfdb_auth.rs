//! `/api/v1/auth`.

use serde_json::{Value, json};

use crate::support::{Instance, PASSWORD, claims};

async fn register(instance: &Instance, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    let response = instance
        .service
        .post("/api/v1/auth/register")
        .json(&body)
        .await;
    response.expect_status(201).json()
}

#[tokio::test]
async fn register_log_in_refresh_log_out() {
    let instance = Instance::new().await;
    let registered = register(&instance, "Ada@example.com").await;
    assert_eq!(registered["email"], "ada@example.com");
    assert_eq!(registered["is_superuser"], false);
    assert_eq!(registered["is_active"], true);

    let form = instance
        .service
        .post("/api/v1/auth/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("username=ada%40example.com&password=correct-horse-1")
        .await
        .expect_status(200)
        .json();
    assert_eq!(form["user_id"], registered["id"]);
    assert_eq!(form["token_type"], "bearer");
    for key in [
        "access_token",
        "refresh_token",
        "is_superuser",
        "email",
        "user_id",
    ] {
        assert!(!form[key].is_null(), "{key}");
    }
    let by_json = json!({ "username": "ada@example.com", "password": PASSWORD });
    let by_json = instance
        .service
        .post("/api/v1/auth/login")
        .json(&by_json)
        .await;
    let by_json = by_json.expect_status(200).json();

    let body = json!({ "refresh_token": form["refresh_token"] });
    let refreshed = instance
        .service
        .post("/api/v1/auth/refresh")
        .json(&body)
        .await;
    let refreshed = refreshed.expect_status(200).json();
    assert_ne!(refreshed["refresh_token"], form["refresh_token"]);
    let session_id = |token: &Value| claims(token.as_str().expect("a token"))["session_id"].clone();
    assert_eq!(
        session_id(&refreshed["access_token"]),
        session_id(&form["access_token"])
    );

    let body = json!({ "refresh_token": refreshed["refresh_token"] });
    let _ = instance
        .service
        .post("/api/v1/auth/logout")
        .json(&body)
        .await
        .expect_status(200);
    let gone = instance
        .service
        .post("/api/v1/auth/refresh")
        .json(&body)
        .await;
    assert_eq!(
        gone.expect_status(400).json()["code"],
        "refresh_token_not_found"
    );
    let token = by_json["access_token"].as_str().expect("a token");
    let out = instance
        .service
        .post("/api/v1/auth/logout")
        .bearer(token)
        .await;
    let _ = out.expect_status(200);
    let me = instance.service.get("/api/v1/users/me").bearer(token).await;
    assert_eq!(me.expect_status(403).json()["code"], "session_not_found");
}

#[tokio::test]
async fn nobody_registers_as_superuser() {
    let instance = Instance::new().await;
    let body = json!({
        "email": "eve@example.com", "password": PASSWORD, "is_superuser": true,
        "app_metadata": { "is_superuser": true }, "role": "service_role", "is_active": true,
    });
    let response = instance
        .service
        .post("/api/v1/auth/register")
        .json(&body)
        .await;
    let registered = response.expect_status(201).json();
    assert_eq!(registered["is_superuser"], false);
    let token = registered["access_token"].as_str().expect("a token");
    let list = instance.service.get("/api/v1/users").bearer(token).await;
    assert_eq!(list.expect_status(403).json()["code"], "not_admin");
}

#[tokio::test]
async fn errors_have_a_detail_and_a_code() {
    let instance = Instance::new().await;
    let short = json!({ "email": "ada@example.com", "password": "x" });
    let short = instance
        .service
        .post("/api/v1/auth/register")
        .json(&short)
        .await;
    let short = short.expect_status(422).json();
    assert_eq!(short["code"], "weak_password");
    assert_eq!(short["weak_password"]["reasons"], json!(["length"]));
    register(&instance, "ada@example.com").await;
    let again = json!({ "email": "ada@example.com", "password": PASSWORD });
    let again = instance
        .service
        .post("/api/v1/auth/register")
        .json(&again)
        .await;
    assert_eq!(
        again.expect_status(422).json(),
        json!({ "detail": "User already registered", "code": "user_already_exists" })
    );
    let wrong = instance
        .service
        .post("/api/v1/auth/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("username=ada%40example.com&password=wrong")
        .await;
    assert_eq!(
        wrong.expect_status(400).json()["code"],
        "invalid_credentials"
    );
    let twice = instance
        .service
        .post("/api/v1/auth/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("username=a&username=b&password=c")
        .await;
    assert_eq!(twice.expect_status(400).json()["code"], "validation_failed");
}
