//! What this instance says of itself.

use serde_json::json;

use crate::support::Instance;

#[tokio::test]
async fn settings_tell_what_a_form_may_offer() {
    let instance = Instance::with(&[
        ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
        ("GOTRUE_DISABLE_SIGNUP", "true"),
    ])
    .await;
    let settings = instance
        .service
        .get("/settings")
        .await
        .expect_status(200)
        .json();
    assert_eq!(settings["external"]["email"], true);
    assert_eq!(settings["external"]["anonymous_users"], true);
    assert_eq!(settings["external"]["phone"], false);
    assert_eq!(settings["external"]["github"], false);
    assert_eq!(settings["disable_signup"], true);
    assert_eq!(settings["mailer_autoconfirm"], true);
    assert_eq!(settings["saml_enabled"], false);
}

#[tokio::test]
async fn the_shared_secret_is_never_a_public_key() {
    let instance = Instance::new().await;
    let jwks = instance
        .service
        .get("/.well-known/jwks.json")
        .await
        .expect_status(200);
    assert_eq!(jwks.json(), json!({ "keys": [] }));
    let configuration = instance
        .service
        .get("/.well-known/openid-configuration")
        .await;
    let configuration = configuration.expect_status(200).json();
    assert_eq!(configuration["issuer"], "http://localhost:8000/auth/v1");
    assert_eq!(
        configuration["jwks_uri"],
        "http://localhost:8000/auth/v1/.well-known/jwks.json"
    );
}

#[tokio::test]
async fn health_and_readiness() {
    let instance = Instance::new().await;
    let health = instance
        .service
        .get("/health")
        .await
        .expect_status(200)
        .json();
    assert_eq!(health["name"], "GoTrue");
    let ready = instance
        .service
        .get("/ready")
        .await
        .expect_status(200)
        .json();
    assert_eq!(ready["checks"]["postgres"], "ok");
}
