//! `GET` and `PUT /user`.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestResponse;
use uuid::Uuid;

use crate::support::{Instance, PASSWORD, Session, assert_error};

async fn update(instance: &Instance, session: &Session, body: Value) -> TestResponse {
    let request = instance.change(session);
    request.json(&body).await
}

#[tokio::test]
async fn the_user_is_the_tokens() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let user = instance.user(&session).await.expect_status(200).json();
    assert_eq!(user, session.user);
}

#[tokio::test]
async fn tokens_of_nobody_are_refused() {
    let instance = Instance::new().await;
    let user = || instance.service.get("/user");
    assert_error(&user().await, 401, "no_authorization");
    let basic = user().header("authorization", "Basic YTpi").await;
    assert_error(&basic, 401, "no_authorization");
    assert_error(&user().bearer("x.y.z").await, 401, "bad_jwt");
    assert_error(
        &user().bearer(instance.db.anon_token()).await,
        403,
        "bad_jwt",
    );
    assert_error(
        &user().bearer(instance.db.service_token()).await,
        403,
        "bad_jwt",
    );
    let gone = instance
        .db
        .user_token(Uuid::from_u128(7), "gone@example.com");
    assert_error(&user().bearer(&gone).await, 403, "user_not_found");
    let session = instance.sign_up("ada@example.com").await;
    let id = session.user_id().parse().expect("an id");
    let other_session = instance.db.user_token(id, "ada@example.com");
    assert_error(
        &user().bearer(&other_session).await,
        403,
        "session_not_found",
    );
    instance.advance(Duration::from_hours(1));
    assert_error(&instance.user(&session).await, 401, "bad_jwt");
}

#[tokio::test]
async fn numbers_in_metadata_come_back_as_they_were() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    // Postgres writes the first two with all their 309 digits.
    let numbers = json!([
        f64::MAX,
        f64::MIN,
        5e-324,
        0.1,
        122.416_294_033_786_58,
        u64::MAX
    ]);
    let body = json!({ "data": { "numbers": numbers } });
    let changed = update(&instance, &session, body).await.expect_status(200);
    assert_eq!(changed.json()["user_metadata"]["numbers"], numbers);
    let read = instance.user(&session).await.expect_status(200).json();
    assert_eq!(read["user_metadata"]["numbers"], numbers);
}

#[tokio::test]
async fn user_metadata_is_merged_and_the_servers_is_not_the_users() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let body = json!({ "data": { "theme": "dark", "lang": "de" } });
    let _ = update(&instance, &session, body).await.expect_status(200);
    let body = json!({ "data": { "theme": null, "size": 3 } });
    let user = update(&instance, &session, body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["user_metadata"]["lang"], "de");
    assert_eq!(user["user_metadata"]["size"], 3);
    assert_eq!(user["user_metadata"].get("theme"), None);

    let body = json!({ "app_metadata": { "is_superuser": true } });
    assert_error(&update(&instance, &session, body).await, 403, "not_admin");
    let body = json!({ "role": "service_role", "aud": "x", "is_superuser": true });
    let user = update(&instance, &session, body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["role"], "authenticated");
    assert_eq!(user["aud"], "authenticated");
    let body = json!({ "data": { "bio": "x".repeat(20_000) } });
    assert_error(
        &update(&instance, &session, body).await,
        422,
        "validation_failed",
    );
}

#[tokio::test]
async fn a_new_password_signs_all_others_out() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let other = instance.sign_in("ada@example.com", PASSWORD).await;
    let other = Session::of(&other.expect_status(200));
    let same = update(&instance, &session, json!({ "password": PASSWORD })).await;
    assert_error(&same, 422, "same_password");
    let weak = update(&instance, &session, json!({ "password": "short" })).await;
    assert_error(&weak, 422, "weak_password");
    let new = update(&instance, &session, json!({ "password": "a-new-password" })).await;
    let _ = new.expect_status(200);

    let _ = instance.user(&session).await.expect_status(200);
    assert_error(&instance.user(&other).await, 403, "session_not_found");
    let response = instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&response, 400, "invalid_credentials");
    let _ = instance
        .sign_in("ada@example.com", "a-new-password")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_new_address_is_the_users_alone() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    instance.sign_up("bob@example.com").await;
    let taken = update(&instance, &ada, json!({ "email": "Bob@example.com" })).await;
    assert_error(&taken, 422, "email_exists");
    let changed = update(&instance, &ada, json!({ "email": "Lovelace@example.com" })).await;
    let user = changed.expect_status(200).json();
    assert_eq!(user["email"], "lovelace@example.com");
    assert_eq!(user["identities"][0]["email"], "lovelace@example.com");
    let _ = instance
        .sign_in("lovelace@example.com", PASSWORD)
        .await
        .expect_status(200);
    let response = instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&response, 400, "invalid_credentials");
}

#[tokio::test]
async fn an_anonymous_user_becomes_permanent_and_keeps_the_id() {
    let instance = Instance::with(&[("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")]).await;
    let response = instance.service.post("/signup").json(&json!({})).await;
    let session = Session::of(&response.expect_status(200));
    let bare = update(&instance, &session, json!({ "password": PASSWORD })).await;
    assert_error(&bare, 422, "validation_failed");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let user = update(&instance, &session, body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["id"], session.user["id"]);
    assert_eq!(user["is_anonymous"], false);
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "email", "providers": ["email"] })
    );
    assert_eq!(user["identities"][0]["provider"], "email");
    let signed_in = instance.sign_in("ada@example.com", PASSWORD).await;
    let signed_in = Session::of(&signed_in.expect_status(200));
    assert_eq!(signed_in.user_id(), session.user_id());
    assert_eq!(signed_in.claims()["is_anonymous"], false);
}

#[tokio::test]
async fn a_new_password_may_need_a_fresh_session() {
    let setting = "GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION";
    let instance = Instance::with(&[(setting, "true"), ("JWT_EXPIRY", "200000")]).await;
    let session = instance.sign_up("ada@example.com").await;
    instance.advance(Duration::from_hours(25));
    let stale = update(&instance, &session, json!({ "password": "a-new-password" })).await;
    assert_error(&stale, 400, "reauthentication_needed");
    let fresh = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    let response = update(&instance, &fresh, json!({ "password": "a-new-password" })).await;
    let _ = response.expect_status(200);
}
