//! Rate limits.

use std::time::Duration;

use serde_json::json;

use crate::support::{Instance, PASSWORD, Session, assert_error};

#[tokio::test]
async fn an_address_signs_in_so_often_and_another_is_not_held_up() {
    let instance = Instance::with(&[("GOTRUE_RATE_LIMIT_TOKEN_REFRESH", "150")]).await;
    let session = instance.sign_up("ada@example.com").await;
    let refresh = |ip: &str| {
        instance
            .refresh(&session.refresh_token)
            .header("x-forwarded-for", ip)
    };
    for _ in 0..30 {
        let _ = refresh("203.0.113.9, 192.0.2.1").await.expect_status(200);
    }
    let response = refresh("198.51.100.1, 192.0.2.1").await;
    assert_error(&response, 429, "over_request_rate_limit");
    assert!(response.header("retry-after").is_some());
    let _ = refresh("192.0.2.2").await.expect_status(200);
    instance.advance(Duration::from_secs(2));
    let _ = refresh("192.0.2.1").await.expect_status(200);
}

#[tokio::test]
async fn an_account_is_guessed_at_so_often_from_wherever() {
    let instance = Instance::with(&[("GOTRUE_RATE_LIMIT_WRONG_PASSWORDS", "3")]).await;
    instance.sign_up("ada@example.com").await;
    instance.sign_up("bob@example.com").await;
    for _ in 0..5 {
        let _ = instance
            .sign_in("ada@example.com", PASSWORD)
            .await
            .expect_status(200);
    }
    for email in ["ada@example.com", "nobody@example.com"] {
        for attempt in 0..3 {
            let ip = format!("192.0.2.{attempt}");
            let guess = instance.sign_in(email, "wrong-password");
            let response = guess.header("x-forwarded-for", &ip).await;
            assert_error(&response, 400, "invalid_credentials");
        }
        let response = instance.sign_in(&email.to_uppercase(), PASSWORD).await;
        assert_error(&response, 429, "over_request_rate_limit");
    }
    let _ = instance
        .sign_in("bob@example.com", PASSWORD)
        .await
        .expect_status(200);
    instance.advance(Duration::from_secs(100));
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn accounts_are_made_and_changed_so_often() {
    let instance = Instance::with(&[
        ("GOTRUE_RATE_LIMIT_SIGN_UP", "2"),
        ("GOTRUE_RATE_LIMIT_USER_UPDATE", "1"),
        ("GOTRUE_RATE_LIMIT_ANONYMOUS_USERS", "1"),
        ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
    ])
    .await;
    let session = instance.sign_up("ada@example.com").await;
    instance.sign_up("bob@example.com").await;
    let body = json!({ "email": "eve@example.com", "password": PASSWORD });
    let response = instance.service.post("/signup").json(&body).await;
    assert_error(&response, 429, "over_request_rate_limit");

    let anonymous = || instance.service.post("/signup").json(&json!({}));
    let _ = Session::of(&anonymous().await.expect_status(200));
    assert_error(&anonymous().await, 429, "over_request_rate_limit");

    let update = || {
        let request = instance.change(&session);
        request.json(&json!({ "data": { "a": 1 } }))
    };
    let _ = update().await.expect_status(200);
    assert_error(&update().await, 429, "over_request_rate_limit");
}
