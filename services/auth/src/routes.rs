//! The routes, in both dialects.

mod absent;
mod admin;
mod external;
mod factors;
mod health;
mod identities;
mod logout;
mod openapi;
mod otp;
mod pace;
mod passkeys;
mod recover;
mod redirects;
mod requests;
mod resend;
mod settings;
mod signup;
mod token;
mod user;
mod v1;
mod verify;
mod well_known;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{delete, get, patch, post, put};

use crate::app::App;
use crate::error::{Error, gotrue, selfdb};

/// No request of this service needs more, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// All routes: GoTrue's without their prefix `/auth/v1`, SelfDB's with theirs.
pub(crate) fn router(app: Arc<App>) -> Router {
    gotrue_routes()
        .nest("/api/v1", selfdb_routes())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(app)
}

/// GoTrue's. What takes a link's token or begins something does so on GET, and not where a mail
/// scanner or a browser only looks ahead by HEAD.
#[rustfmt::skip]
fn gotrue_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health::get_health))
        .route("/openapi.json", get(openapi::get_description))
        .route("/settings", get(settings::get_settings))
        .route("/.well-known/jwks.json", get(well_known::get_jwks))
        .route("/.well-known/openid-configuration", get(well_known::get_openid_configuration))
        .route("/signup", post(signup::sign_up))
        .route("/token", post(token::create_token))
        .route("/user", get(user::get_user).put(user::update_user))
        .route("/authorize", get(external::authorize).head(method_not_allowed))
        .route("/callback", get(external::callback).post(external::callback_form).head(method_not_allowed))
        .route("/user/identities/authorize", get(external::link_identity).head(method_not_allowed))
        .route("/reauthenticate", get(user::reauthenticate).head(method_not_allowed))
        .route("/otp", post(otp::send_code))
        .route("/magiclink", post(otp::send_magic_link))
        .route("/recover", post(recover::recover))
        .route("/resend", post(resend::resend))
        .route("/verify", get(verify::follow_link).post(verify::verify).head(method_not_allowed))
        .route("/logout", post(logout::log_out))
        .route("/user/identities/{id}", delete(identities::unlink_identity))
        .route("/factors", post(factors::enroll))
        .route("/factors/{id}", delete(factors::unenroll))
        .route("/factors/{id}/challenge", post(factors::challenge))
        .route("/factors/{id}/verify", post(factors::verify))
        .route("/passkeys", get(passkeys::list))
        .route("/passkeys/registration/options", post(passkeys::begin_registration))
        .route("/passkeys/registration/verify", post(passkeys::finish_registration))
        .route("/passkeys/authentication/options", post(passkeys::begin_sign_in))
        .route("/passkeys/authentication/verify", post(passkeys::finish_sign_in))
        .route("/passkeys/{id}", patch(passkeys::rename).delete(passkeys::remove))
        .route("/invite", post(admin::invite_user))
        .route("/admin/generate_link", post(admin::create_link))
        .route("/admin/audit", get(admin::list_audit_entries))
        .route("/admin/users/{id}/factors", get(admin::list_factors))
        .route("/admin/users/{id}/factors/{factor}", put(admin::update_user_factor).delete(admin::delete_user_factor))
        .route("/admin/users/{id}/passkeys", get(passkeys::list_of))
        .route("/admin/users/{id}/passkeys/{passkey}", delete(passkeys::remove_of))
        .route("/admin/users", get(admin::list_users).post(admin::create_user))
        .route("/admin/users/{id}", get(admin::get_user).put(admin::update_user).delete(admin::delete_user))
        .merge(absent::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(gotrue))
}

#[rustfmt::skip]
fn selfdb_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/auth/register", post(v1::auth::register))
        .route("/auth/login", post(v1::auth::log_in))
        .route("/auth/refresh", post(v1::auth::refresh))
        .route("/auth/logout", post(v1::auth::log_out))
        .route("/users", get(v1::users::list_users).post(v1::users::create_user))
        .route("/users/count", get(v1::users::count_users))
        .route("/users/me", get(v1::me::get_me).put(v1::me::update_me))
        .route("/users/me/password", put(v1::me::change_password))
        .route("/users/me/anon-key", get(v1::me::get_anon_key))
        .route("/users/{id}", get(v1::users::get_user).put(v1::users::update_user).delete(v1::users::delete_user))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(selfdb))
}

async fn not_found() -> Error {
    Error::RouteNotFound
}

async fn method_not_allowed() -> Error {
    Error::MethodNotAllowed
}
