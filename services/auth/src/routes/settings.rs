//! `GET /settings`: what a sign-in form has to offer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use crate::app::App;

/// The providers that clients know; each is off until it is configured.
const EXTERNAL: [&str; 25] = [
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "workos",
    "x",
    "zoom",
    "web3",
];

/// Tells what this instance allows.
pub(super) async fn get_settings(State(app): State<Arc<App>>) -> Json<Value> {
    let rules = &app.rules;
    let mut external: Map<String, Value> = EXTERNAL
        .iter()
        .map(|name| ((*name).to_owned(), Value::Bool(false)))
        .collect();
    for provider in &app.providers {
        external.insert(provider.config.name.clone(), Value::Bool(true));
    }
    external.insert("anonymous_users".to_owned(), rules.anonymous.is_on().into());
    external.insert("email".to_owned(), rules.email.accounts.is_on().into());
    external.insert("phone".to_owned(), rules.phone.accounts.is_on().into());
    Json(json!({
        "external": external,
        "disable_signup": !rules.sign_up.is_on(),
        "mailer_autoconfirm": rules.email.autoconfirm.is_on(),
        "phone_autoconfirm": rules.phone.autoconfirm.is_on(),
        "sms_provider": app.sms_provider,
        "saml_enabled": false,
    }))
}
