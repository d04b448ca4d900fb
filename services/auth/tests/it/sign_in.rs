//! `POST /token?grant_type=password`.

use std::time::Duration;

use serde_json::json;

use crate::support::{Instance, PASSWORD, Session, assert_error};

#[tokio::test]
async fn each_sign_in_is_a_session_of_its_own() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    instance.advance(Duration::from_mins(1));
    let response = instance
        .sign_in("ADA@example.com", PASSWORD)
        .await
        .expect_status(200);
    let second = Session::of(&response);
    assert_eq!(first.user_id(), second.user_id());
    assert_ne!(first.claims()["session_id"], second.claims()["session_id"]);
    assert_ne!(
        first.user["last_sign_in_at"],
        second.user["last_sign_in_at"]
    );
    assert_eq!(response.json().get("weak_password"), None);
    assert_eq!(
        instance.number("select count(*) from auth.sessions").await,
        2
    );
    let client = "select host(ip) || ' ' || user_agent from auth.sessions \
                  order by created_at desc limit 1";
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .header("x-forwarded-for", "203.0.113.9, 198.51.100.7")
        .header("user-agent", "tests/1.0")
        .await
        .expect_status(200);
    instance.advance(Duration::from_mins(1));
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .header("x-forwarded-for", "203.0.113.9, 198.51.100.7")
        .header("user-agent", "tests/1.0")
        .await
        .expect_status(200);
    assert_eq!(instance.text(client).await, "198.51.100.7 tests/1.0");
}

#[tokio::test]
async fn unknown_user_and_wrong_password_get_one_answer() {
    let instance = Instance::new().await;
    instance.sign_up("ada@example.com").await;
    let wrong = instance.sign_in("ada@example.com", "wrong-password").await;
    assert_error(&wrong, 400, "invalid_credentials");
    let attempts = [
        ("nobody@example.com", "wrong-password"),
        ("not an address", "wrong-password"),
        ("ada@example.com", ""),
    ];
    for (email, password) in attempts {
        let response = instance.sign_in(email, password).await;
        assert_eq!(response.status, wrong.status, "{email}");
        assert_eq!(response.text(), wrong.text(), "{email}");
    }
}

/// The full figure (2,000 timings) is a benchmark's; this notices a check that is left out.
#[tokio::test]
async fn unknown_user_and_wrong_password_take_as_long() {
    let instance = Instance::new().await;
    instance.sign_up("ada@example.com").await;
    let mut known = Duration::MAX;
    let mut unknown = Duration::MAX;
    let alike = |one: Duration, other: Duration| one * 2 > other && other * 2 > one;
    // The fastest of a few: a busy machine slows some down, a difference of ours all.
    for round in 0..30 {
        if round >= 5 && alike(known, unknown) {
            break;
        }
        let begun = std::time::Instant::now();
        let _ = instance.sign_in("ada@example.com", "wrong-password").await;
        known = known.min(begun.elapsed());
        let begun = std::time::Instant::now();
        let _ = instance
            .sign_in("nobody@example.com", "wrong-password")
            .await;
        unknown = unknown.min(begun.elapsed());
    }
    let message = format!("unknown {unknown:?}, known {known:?}");
    assert!(alike(known, unknown), "{message}");
}

#[tokio::test]
async fn banned_users_do_not_sign_in_until_the_ban_ends() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", session.user_id());
    let ban = instance
        .service
        .put(&path)
        .json(&json!({ "ban_duration": "24h" }));
    let user = instance.admin(ban).await.expect_status(200).json();
    assert!(user["banned_until"].is_string());

    let response = instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&response, 400, "user_banned");
    let response = instance.sign_in("ada@example.com", "wrong-password").await;
    assert_error(&response, 400, "invalid_credentials");
    let response = instance.refresh(&session.refresh_token).await;
    assert_error(&response, 400, "user_banned");

    instance.advance(Duration::from_hours(25));
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn passwords_that_are_weak_by_now_are_told() {
    let instance = Instance::new().await;
    instance.sign_up("ada@example.com").await;
    let stricter = instance
        .another_node(&[("GOTRUE_PASSWORD_MIN_LENGTH", "20")])
        .await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let response = stricter
        .post("/token?grant_type=password")
        .json(&body)
        .await;
    let body = response.expect_status(200).json();
    assert_eq!(body["weak_password"]["reasons"], json!(["length"]));
    assert!(body["weak_password"]["message"].is_string());
}

#[tokio::test]
async fn grants_of_other_kinds_are_refused() {
    let instance = Instance::new().await;
    for query in ["", "?grant_type=", "?grant_type=magic"] {
        let path = format!("/token{query}");
        let response = instance.service.post(&path).json(&json!({})).await;
        assert_error(&response, 400, "invalid_credentials");
    }
    let body = json!({ "password": PASSWORD });
    let response = instance
        .service
        .post("/token?grant_type=password")
        .json(&body)
        .await;
    assert_error(&response, 400, "validation_failed");
}

#[tokio::test]
async fn every_event_is_in_the_audit_log() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
    let response = instance
        .refresh(&session.refresh_token)
        .await
        .expect_status(200);
    let session = Session::of(&response);
    let update = instance.change(&session);
    let _ = update
        .json(&json!({ "password": "another-password" }))
        .await
        .expect_status(200);
    let logout = instance
        .service
        .post("/logout")
        .bearer(&session.access_token)
        .await;
    let _ = logout.expect_status(204);
    let actions = "select string_agg(distinct payload ->> 'action', ' ' \
                   order by payload ->> 'action') from auth.audit_log_entries \
                   where payload ->> 'actor_username' = 'ada@example.com' \
                   and ip_address = '127.0.0.1'";
    assert_eq!(
        instance.text(actions).await,
        "login logout token_refreshed user_modified user_signedup user_updated_password"
    );
}

#[tokio::test]
async fn a_ban_ends_what_a_token_is_good_for() {
    let instance = Instance::with(&[("JWT_EXPIRY", "200000")]).await;
    let session = instance.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", session.user_id());
    let ban = json!({ "ban_duration": "24h" });
    let ban = instance.service.put(&path).json(&ban);
    let _ = instance.admin(ban).await.expect_status(200);
    assert_error(&instance.user(&session).await, 403, "user_banned");
    instance.advance(Duration::from_hours(25));
    let _ = instance.user(&session).await.expect_status(200);
}
