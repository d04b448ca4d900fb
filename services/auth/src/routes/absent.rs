//! What the interface has and this service has not. It answers as the original does where such a
//! thing is switched off, so that clients find out what is there.

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodRouter, any};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::actions::caller::{Admin, Caller};
use crate::app::App;
use crate::error::refusal::{
    CUSTOM_PROVIDERS_DISABLED, OAUTH_SERVER_DISABLED, RECOVERY_CODES_ENROLL_DISABLED,
    RECOVERY_CODES_NOT_FOUND, RECOVERY_CODES_VERIFY_DISABLED, Refusal, SAML_DISABLED,
};
use crate::error::{Error, Result};

/// Single sign-on by SAML, signing others' users in (the OAuth 2.1 server), providers that are
/// made at run time, recovery codes.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sso", for_all(SAML_DISABLED))
        .route("/sso/{*rest}", for_all(SAML_DISABLED))
        .route("/admin/sso/providers", any(list_sso_providers))
        .route("/admin/sso/providers/{id}", for_admins(SAML_DISABLED))
        .route(
            "/.well-known/oauth-authorization-server",
            for_all(OAUTH_SERVER_DISABLED),
        )
        .route("/oauth/{*rest}", for_all(OAUTH_SERVER_DISABLED))
        .route("/user/oauth/grants", for_users(OAUTH_SERVER_DISABLED))
        .route("/admin/oauth/clients", for_admins(OAUTH_SERVER_DISABLED))
        .route(
            "/admin/oauth/clients/{*rest}",
            for_admins(OAUTH_SERVER_DISABLED),
        )
        .route(
            "/admin/custom-providers",
            for_admins(CUSTOM_PROVIDERS_DISABLED),
        )
        .route(
            "/admin/custom-providers/{id}",
            for_admins(CUSTOM_PROVIDERS_DISABLED),
        )
        .route("/factors/recovery-codes", any(recovery_codes))
        .route(
            "/factors/recovery-codes/regenerate",
            for_users(RECOVERY_CODES_ENROLL_DISABLED),
        )
        .route(
            "/factors/recovery-codes/verify",
            for_users(RECOVERY_CODES_VERIFY_DISABLED),
        )
}

fn for_all(refusal: Refusal) -> MethodRouter<Arc<App>> {
    any(async move || Error::from(refusal))
}

/// Who is nobody learns nothing of what is there.
fn for_users(refusal: Refusal) -> MethodRouter<Arc<App>> {
    any(async move |_: Caller| Error::from(refusal))
}

fn for_admins(refusal: Refusal) -> MethodRouter<Arc<App>> {
    any(async move |_: Admin| Error::from(refusal))
}

/// There are none, and none can be made.
async fn list_sso_providers(method: Method, _: Admin) -> Result<Json<Value>> {
    if method == Method::GET {
        return Ok(Json(json!({ "items": [] })));
    }
    Err(SAML_DISABLED.into())
}

/// Nobody has any.
async fn recovery_codes(method: Method, _: Caller) -> Error {
    if method == Method::POST {
        return RECOVERY_CODES_ENROLL_DISABLED.into();
    }
    RECOVERY_CODES_NOT_FOUND.into()
}
