//! Second factors.

use std::time::Duration;

use common::Clock as _;
use serde_json::{Value, json};
use testkit::{TestRequest, TestResponse};
use totp_rs::{Builder, Secret};

use crate::support::{Instance, PASSWORD, Session, assert_error};

fn post(instance: &Instance, session: &Session, path: &str, body: &Value) -> TestRequest {
    let request = instance.service.post(path).bearer(&session.access_token);
    request.json(body)
}

/// What an authenticator app shows now.
fn code(instance: &Instance, secret: &str) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    let now = instance.clock().now().unix_timestamp();
    totp.generate(u64::try_from(now).expect("after 1970"))
        .to_string()
}

async fn enroll(instance: &Instance, session: &Session, name: &str) -> Value {
    let body = json!({ "factor_type": "totp", "friendly_name": name });
    let answer = post(instance, session, "/factors", &body).await;
    answer.expect_status(200).json()
}

async fn challenge(instance: &Instance, session: &Session, factor: &Value) -> Value {
    let path = format!(
        "/factors/{}/challenge",
        factor["id"].as_str().expect("an id")
    );
    let request = instance.service.post(&path).bearer(&session.access_token);
    request.await.expect_status(200).json()
}

async fn show(
    instance: &Instance,
    session: &Session,
    (factor, asked): (&Value, &Value),
    code: &str,
) -> TestResponse {
    let path = format!("/factors/{}/verify", factor["id"].as_str().expect("an id"));
    let body = json!({ "challenge_id": asked["id"], "code": code });
    post(instance, session, &path, &body).await
}

/// Enrols an app and shows it; answers the factor and the stronger session.
async fn enrolled(instance: &Instance, session: &Session) -> (Value, Session) {
    let factor = enroll(instance, session, "phone").await;
    let asked = challenge(instance, session, &factor).await;
    let secret = factor["totp"]["secret"].as_str().expect("a secret");
    let shown = show(
        instance,
        session,
        (&factor, &asked),
        &code(instance, secret),
    )
    .await;
    let stronger = Session::of(&shown.expect_status(200));
    (factor, stronger)
}

#[tokio::test]
async fn an_app_is_enrolled_and_strengthens_the_session() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let other = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    let factor = enroll(&instance, &session, "phone").await;
    assert_eq!(factor["type"], "totp");
    let picture = factor["totp"]["qr_code"].as_str().expect("a picture");
    assert!(picture.starts_with("<svg"));
    let address = factor["totp"]["uri"].as_str().expect("an address");
    assert!(address.starts_with("otpauth://totp/"), "{address}");
    let user = instance.user(&session).await.json();
    assert_eq!(user["factors"][0]["status"], "unverified");

    let asked = challenge(&instance, &session, &factor).await;
    assert!(asked["expires_at"].is_i64());
    let wrong = show(&instance, &session, (&factor, &asked), "000000").await;
    assert_error(&wrong, 422, "mfa_verification_failed");
    let secret = factor["totp"]["secret"].as_str().expect("a secret");
    let right = code(&instance, secret);
    let shown = show(&instance, &session, (&factor, &asked), &right).await;
    let stronger = Session::of(&shown.expect_status(200));
    assert_eq!(stronger.claims()["aal"], "aal2");
    let methods = stronger.claims()["amr"].to_string();
    assert!(
        methods.contains("totp") && methods.contains("password"),
        "{methods}"
    );
    assert_eq!(stronger.user["factors"][0]["status"], "verified");
    assert_eq!(
        stronger.claims()["session_id"],
        session.claims()["session_id"]
    );
    assert_error(&instance.user(&other).await, 403, "session_not_found");

    let refreshed = instance.refresh(&stronger.refresh_token).await;
    let refreshed = Session::of(&refreshed.expect_status(200));
    assert_eq!(refreshed.claims()["aal"], "aal2");

    // Neither the challenge nor the code is good twice.
    let again = show(&instance, &refreshed, (&factor, &asked), &right).await;
    assert_error(&again, 422, "mfa_challenge_expired");
    let asked = challenge(&instance, &refreshed, &factor).await;
    let replayed = show(&instance, &refreshed, (&factor, &asked), &right).await;
    assert_error(&replayed, 422, "mfa_verification_failed");
    instance.advance(Duration::from_mins(1));
    let next = code(&instance, secret);
    let _ = show(&instance, &refreshed, (&factor, &asked), &next)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn what_opens_the_account_needs_the_second_factor() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let (factor, stronger) = enrolled(&instance, &session).await;
    let weaker = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    assert_eq!(weaker.claims()["aal"], "aal1");
    let change = |session: &Session| {
        let request = instance.change(session);
        request.json(&json!({ "password": "a-new-password" }))
    };
    assert_error(&change(&weaker).await, 401, "insufficient_aal");
    let path = format!("/factors/{}", factor["id"].as_str().expect("an id"));
    let unenroll = |session: &Session| instance.service.delete(&path).bearer(&session.access_token);
    assert_error(&unenroll(&weaker).await, 422, "insufficient_aal");
    let body = json!({ "factor_type": "totp", "friendly_name": "other" });
    let refused = post(&instance, &weaker, "/factors", &body).await;
    assert_error(&refused, 403, "insufficient_aal");
    let body = json!({ "factor_type": "totp", "friendly_name": "phone" });
    let refused = post(&instance, &stronger, "/factors", &body).await;
    assert_error(&refused, 422, "mfa_factor_name_conflict");

    let left = unenroll(&stronger).await.expect_status(200).json();
    assert_eq!(left["id"], factor["id"]);
    let refreshed = instance.refresh(&stronger.refresh_token).await;
    assert_eq!(
        Session::of(&refreshed.expect_status(200)).claims()["aal"],
        "aal1"
    );
    let _ = change(&weaker).await.expect_status(200);
}

#[tokio::test]
async fn factors_are_their_users_alone() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let eve = instance.sign_up("eve@example.com").await;
    let factor = enroll(&instance, &ada, "phone").await;
    let asked = challenge(&instance, &ada, &factor).await;
    let id = factor["id"].as_str().expect("an id");
    let secret = factor["totp"]["secret"].as_str().expect("a secret");
    let theirs = show(&instance, &eve, (&factor, &asked), &code(&instance, secret)).await;
    assert_error(&theirs, 404, "mfa_factor_not_found");
    let path = format!("/factors/{id}");
    let theirs = instance
        .service
        .delete(&path)
        .bearer(&eve.access_token)
        .await;
    assert_error(&theirs, 404, "mfa_factor_not_found");
    let theirs = post(
        &instance,
        &eve,
        &format!("/factors/{id}/challenge"),
        &json!({}),
    )
    .await;
    assert_error(&theirs, 404, "mfa_factor_not_found");
    let nobody = instance
        .service
        .post("/factors")
        .json(&json!({ "factor_type": "totp" }))
        .await;
    assert_error(&nobody, 401, "no_authorization");
    for body in [
        json!({}),
        json!({ "factor_type": "x" }),
        json!({ "factor_type": "phone", "phone": "x" }),
    ] {
        let refused = post(&instance, &ada, "/factors", &body).await;
        assert_error(&refused, 400, "validation_failed");
    }
    let stored = instance
        .text("select string_agg(f::text, '') from auth.mfa_factors f")
        .await;
    assert!(stored.contains("sealed:v1:") && !stored.contains(secret));
}

#[tokio::test]
async fn challenges_end_and_guesses_are_few() {
    let instance = Instance::with(&[("GOTRUE_RATE_LIMIT_WRONG_CODES", "3")]).await;
    let session = instance.sign_up("ada@example.com").await;
    let factor = enroll(&instance, &session, "phone").await;
    let secret = factor["totp"]["secret"].as_str().expect("a secret");
    let asked = challenge(&instance, &session, &factor).await;
    instance.advance(Duration::from_mins(6));
    let late = show(
        &instance,
        &session,
        (&factor, &asked),
        &code(&instance, secret),
    )
    .await;
    assert_error(&late, 422, "mfa_challenge_expired");
    instance.advance(Duration::from_mins(5));
    let asked = challenge(&instance, &session, &factor).await;
    for _ in 0..3 {
        let wrong = show(&instance, &session, (&factor, &asked), "000000").await;
        assert_error(&wrong, 422, "mfa_verification_failed");
    }
    let refused = show(
        &instance,
        &session,
        (&factor, &asked),
        &code(&instance, secret),
    )
    .await;
    assert_error(&refused, 429, "over_request_rate_limit");
}

#[tokio::test]
async fn a_phone_is_a_second_factor() {
    let instance = Instance::with(&[
        ("GOTRUE_MFA_PHONE_ENROLL_ENABLED", "true"),
        ("GOTRUE_MFA_PHONE_VERIFY_ENABLED", "true"),
        ("GOTRUE_SMS_TEST_OTP", "4930123=445566"),
        ("GOTRUE_SMS_MAX_FREQUENCY", "0"),
    ])
    .await;
    let session = instance.sign_up("ada@example.com").await;
    let body = json!({ "factor_type": "phone", "friendly_name": "p", "phone": "+49 30 123" });
    let factor = post(&instance, &session, "/factors", &body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(factor["phone"], "4930123");
    let asked = challenge(&instance, &session, &factor).await;
    assert_eq!(asked["type"], "phone");
    let wrong = show(&instance, &session, (&factor, &asked), "445567").await;
    assert_error(&wrong, 422, "mfa_verification_failed");
    instance.advance(Duration::from_secs(1));
    let shown = show(&instance, &session, (&factor, &asked), "445566").await;
    let stronger = Session::of(&shown.expect_status(200));
    assert_eq!(stronger.claims()["aal"], "aal2");
    assert_eq!(stronger.claims()["amr"][0]["method"], "mfa/phone");
}

#[tokio::test]
async fn administrators_see_and_take_factors() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let (factor, stronger) = enrolled(&instance, &session).await;
    let path = format!("/admin/users/{}/factors", session.user_id());
    let listed = instance
        .admin(instance.service.get(&path))
        .await
        .expect_status(200)
        .json();
    assert_eq!(listed[0]["id"], factor["id"]);
    assert_eq!(listed[0].get("secret"), None);
    assert_error(
        &instance
            .service
            .get(&path)
            .bearer(&stronger.access_token)
            .await,
        403,
        "not_admin",
    );
    let one = format!("{path}/{}", factor["id"].as_str().expect("an id"));
    let renamed = instance
        .service
        .put(&one)
        .json(&json!({ "friendly_name": "old phone" }));
    assert_eq!(
        instance.admin(renamed).await.expect_status(200).json()["friendly_name"],
        "old phone"
    );
    let _ = instance
        .admin(instance.service.delete(&one))
        .await
        .expect_status(200);
    let refreshed = instance.refresh(&stronger.refresh_token).await;
    assert_eq!(
        Session::of(&refreshed.expect_status(200)).claims()["aal"],
        "aal1"
    );
    assert_error(
        &instance.admin(instance.service.delete(&one)).await,
        404,
        "mfa_factor_not_found",
    );
}

#[tokio::test]
async fn who_is_nobody_in_particular_has_no_second_factor() {
    let instance = Instance::with(&[("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")]).await;
    let guest = instance.service.post("/signup").json(&json!({})).await;
    let guest = Session::of(&guest.expect_status(200));
    let enroll = instance.service.post("/factors");
    let enroll = enroll.json(&json!({ "factor_type": "totp" }));
    let refused = enroll.bearer(&guest.access_token).await;
    assert_error(&refused, 403, "no_authorization");
}
