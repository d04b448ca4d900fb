//! Passkeys, and security keys as second factors.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestResponse;

use crate::authenticator::Authenticator;
use crate::support::{Instance, PASSWORD, Session, assert_error};

const SITE: &str = "https://app.example.org";

async fn instance() -> Instance {
    Instance::with(&[
        ("GOTRUE_SITE_URL", SITE),
        ("GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED", "true"),
        ("GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED", "true"),
    ])
    .await
}

async fn post(instance: &Instance, session: &Session, path: &str, body: &Value) -> TestResponse {
    let request = instance.service.post(path).json(body);
    request.bearer(&session.access_token).await
}

/// Registers a new passkey of the session's user.
async fn register(instance: &Instance, session: &Session) -> (Authenticator, String) {
    let mut authenticator = Authenticator::at(SITE);
    let answer = register_with(instance, session, &mut authenticator).await;
    let passkey = answer.expect_status(200).json();
    (
        authenticator,
        passkey["id"].as_str().expect("an id").to_owned(),
    )
}

async fn register_with(
    instance: &Instance,
    session: &Session,
    authenticator: &mut Authenticator,
) -> TestResponse {
    let path = "/passkeys/registration/options";
    let asked = post(instance, session, path, &json!({})).await;
    let asked = asked.expect_status(200).json();
    let credential = authenticator.create(&asked["options"]);
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": credential });
    post(instance, session, "/passkeys/registration/verify", &body).await
}

async fn begin(instance: &Instance) -> Value {
    let asked = instance.service.post("/passkeys/authentication/options");
    asked.json(&json!({})).await.expect_status(200).json()
}

async fn sign_in(instance: &Instance, authenticator: &mut Authenticator) -> TestResponse {
    let asked = begin(instance).await;
    let credential = authenticator.get(&asked["options"]);
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": credential });
    finish(instance, &body).await
}

async fn finish(instance: &Instance, body: &Value) -> TestResponse {
    let request = instance.service.post("/passkeys/authentication/verify");
    request.json(body).await
}

#[tokio::test]
async fn a_passkey_signs_its_user_in() {
    let instance = instance().await;
    let ada = instance.sign_up("ada@example.com").await;
    let path = "/passkeys/registration/options";
    let asked = post(&instance, &ada, path, &json!({})).await;
    let options = asked.expect_status(200).json()["options"].clone();
    assert_eq!(options["rp"]["id"], "app.example.org");
    assert_eq!(options["user"]["name"], "ada@example.com");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );

    let (mut authenticator, id) = register(&instance, &ada).await;
    let session = Session::of(
        &sign_in(&instance, &mut authenticator)
            .await
            .expect_status(200),
    );
    assert_eq!(session.user_id(), ada.user_id());
    assert_eq!(session.claims()["amr"][0]["method"], "passkey");
    assert_eq!(session.claims()["aal"], "aal1");

    let path = format!("/passkeys/{id}");
    let rename = instance
        .service
        .patch(&path)
        .json(&json!({ "friendly_name": "laptop" }));
    let renamed = rename
        .bearer(&session.access_token)
        .await
        .expect_status(200);
    assert_eq!(renamed.json()["friendly_name"], "laptop");
    let list = instance
        .service
        .get("/passkeys")
        .bearer(&session.access_token);
    let listed = list.await.expect_status(200).json();
    assert_eq!(listed[0]["id"], id);
    assert!(listed[0]["last_used_at"].is_string());
    let delete = instance.service.delete(&path).bearer(&session.access_token);
    let _ = delete.await.expect_status(204);
    let gone = sign_in(&instance, &mut authenticator).await;
    assert_error(&gone, 400, "webauthn_verification_failed");
}

/// What an authenticator may do wrong.
type Lie = Box<dyn Fn(&mut Authenticator)>;

#[tokio::test]
async fn answers_that_do_not_hold_sign_nobody_in() {
    let instance = instance().await;
    let ada = instance.sign_up("ada@example.com").await;
    let bob = instance.sign_up("bob@example.com").await;
    let (honest, _) = register(&instance, &ada).await;
    let bob_id: uuid::Uuid = bob.user_id().parse().expect("an id");
    let lies: [(&str, Lie); 6] = [
        (
            "another site's page",
            Box::new(|a| a.origin = "https://evil.example".to_owned()),
        ),
        (
            "another site's key",
            Box::new(|a| a.rp_id = "evil.example".to_owned()),
        ),
        ("nobody was checked", Box::new(|a| a.verifies = false)),
        ("a copy, by its counter", Box::new(|a| a.counter = 0)),
        ("whose, is not said", Box::new(|a| a.user_handle = None)),
        (
            "another user's",
            Box::new(move |a| a.user_handle = Some(bob_id.as_bytes().to_vec())),
        ),
    ];
    for (what, lie) in lies {
        let mut authenticator = honest.clone();
        lie(&mut authenticator);
        let response = sign_in(&instance, &mut authenticator).await;
        assert_eq!(response.status.as_u16(), 400, "{what}: {}", response.text());
        assert_error(&response, 400, "webauthn_verification_failed");
    }
    let mut stranger = Authenticator::at(SITE);
    stranger.user_handle = honest.user_handle.clone();
    let response = sign_in(&instance, &mut stranger).await;
    assert_error(&response, 400, "webauthn_verification_failed");
    let _ = sign_in(&instance, &mut honest.clone())
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_question_is_answered_once_in_time_and_by_whom_it_was_asked() {
    let instance = instance().await;
    let ada = instance.sign_up("ada@example.com").await;
    let bob = instance.sign_up("bob@example.com").await;
    let (mut authenticator, _) = register(&instance, &ada).await;
    let asked = begin(&instance).await;
    let credential = authenticator.get(&asked["options"]);
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": credential });
    let _ = finish(&instance, &body).await.expect_status(200);
    let again = finish(&instance, &body).await;
    assert_error(&again, 400, "webauthn_challenge_not_found");

    let late = begin(&instance).await;
    let credential = authenticator.get(&late["options"]);
    instance.advance(Duration::from_secs(301));
    let body = json!({ "challenge_id": late["challenge_id"], "credential": credential });
    let response = finish(&instance, &body).await;
    assert_error(&response, 400, "webauthn_challenge_expired");

    // What Ada's browser was asked, Bob does not answer.
    let path = "/passkeys/registration/options";
    let asked = post(&instance, &ada, path, &json!({}))
        .await
        .expect_status(200)
        .json();
    let credential = Authenticator::at(SITE).create(&asked["options"]);
    let body = json!({ "challenge_id": asked["challenge_id"], "credential": credential });
    let path = "/passkeys/registration/verify";
    let response = post(&instance, &bob, path, &body).await;
    assert_error(&response, 400, "webauthn_challenge_not_found");
    let again = post(&instance, &ada, path, &body).await;
    let _ = again.expect_status(200);
}

#[tokio::test]
async fn one_authenticators_key_is_registered_once() {
    let instance = instance().await;
    let ada = instance.sign_up("ada@example.com").await;
    let bob = instance.sign_up("bob@example.com").await;
    let (mut authenticator, _) = register(&instance, &ada).await;
    let response = register_with(&instance, &bob, &mut authenticator).await;
    assert_error(&response, 422, "webauthn_credential_exists");
}

#[tokio::test]
async fn a_banned_user_is_not_let_in_by_a_passkey() {
    let instance = instance().await;
    let ada = instance.sign_up("ada@example.com").await;
    let (mut authenticator, _) = register(&instance, &ada).await;
    let path = format!("/admin/users/{}", ada.user_id());
    let ban = instance
        .service
        .put(&path)
        .json(&json!({ "ban_duration": "1h" }));
    let _ = instance.admin(ban).await.expect_status(200);
    let response = sign_in(&instance, &mut authenticator).await;
    assert_error(&response, 403, "user_banned");
}

#[tokio::test]
async fn passkeys_can_be_turned_off() {
    let instance = Instance::with(&[("GOTRUE_PASSKEY_ENABLED", "false")]).await;
    let asked = instance.service.post("/passkeys/authentication/options");
    assert_error(&asked.json(&json!({})).await, 404, "passkey_disabled");
}

async fn ask(instance: &Instance, session: &Session, factor: &str) -> Value {
    let path = format!("/factors/{factor}/challenge");
    let body = json!({ "webauthn": { "rpId": "app.example.org", "rpOrigins": [SITE] } });
    post(instance, session, &path, &body)
        .await
        .expect_status(200)
        .json()
}

async fn show(
    instance: &Instance,
    session: &Session,
    factor: &str,
    (challenge, answer): (&Value, Value),
) -> TestResponse {
    let path = format!("/factors/{factor}/verify");
    let key = json!({
        "type": challenge["webauthn"]["type"], "rpId": "app.example.org",
        "credential_response": answer,
    });
    let body = json!({ "challenge_id": challenge["id"], "webauthn": key });
    post(instance, session, &path, &body).await
}

#[tokio::test]
async fn a_security_key_is_a_second_factor() {
    let instance = instance().await;
    let ada = instance.sign_up("ada@example.com").await;
    let body = json!({ "factor_type": "webauthn", "friendly_name": "key" });
    let enrolled = post(&instance, &ada, "/factors", &body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(enrolled["type"], "webauthn");
    let factor = enrolled["id"].as_str().expect("an id");
    let mut key = Authenticator::at(SITE);
    key.verifies = false;
    let challenge = ask(&instance, &ada, factor).await;
    assert_eq!(challenge["webauthn"]["type"], "create");
    let options = &challenge["webauthn"]["credential_options"]["publicKey"];
    let shown = show(&instance, &ada, factor, (&challenge, key.create(options))).await;
    let strong = Session::of(&shown.expect_status(200));
    assert_eq!(strong.claims()["aal"], "aal2");

    let weak = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    assert_eq!(weak.claims()["aal"], "aal1");
    let refused = post(
        &instance,
        &weak,
        "/passkeys/registration/options",
        &json!({}),
    )
    .await;
    assert_error(&refused, 403, "insufficient_aal");
    let challenge = ask(&instance, &weak, factor).await;
    assert_eq!(challenge["webauthn"]["type"], "request");
    let options = &challenge["webauthn"]["credential_options"]["publicKey"];
    let mut stranger = Authenticator::at(SITE);
    let answer = stranger.get(options);
    let refused = show(&instance, &weak, factor, (&challenge, answer)).await;
    assert_error(&refused, 422, "mfa_verification_failed");
    let shown = show(&instance, &weak, factor, (&challenge, key.get(options))).await;
    let strong = Session::of(&shown.expect_status(200));
    let methods = strong.claims()["amr"].clone();
    let methods = methods.as_array().expect("methods").iter();
    let methods: Vec<&str> = methods.filter_map(|m| m["method"].as_str()).collect();
    assert!(methods.contains(&"mfa/webauthn"), "{methods:?}");

    let path = format!("/factors/{factor}/challenge");
    let body = json!({ "webauthn": { "rpId": "evil.example" } });
    let other = post(&instance, &strong, &path, &body).await;
    assert_error(&other, 400, "validation_failed");
    let code = json!({ "challenge_id": challenge["id"], "code": "123456" });
    let path = format!("/factors/{factor}/verify");
    let refused = post(&instance, &strong, &path, &code).await;
    assert_error(&refused, 422, "mfa_challenge_expired");
}
