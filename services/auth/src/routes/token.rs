//! `POST /token?grant_type=…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use common::Secret;
use serde::Deserialize;

use super::requests::given;
use super::responses::SessionResponse;
use crate::actions::exchange_code::exchange_code;
use crate::actions::refresh::refresh;
use crate::actions::sign_in::{SignIn, sign_in};
use crate::app::App;
use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use crate::domain::refresh_token::RefreshToken;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::error::{Error, Result};
use crate::extract::{body, parse};

#[derive(Deserialize)]
pub(super) struct GrantQuery {
    grant_type: Option<String>,
}

#[derive(Deserialize)]
struct PasswordGrantRequest {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize)]
struct PkceGrantRequest {
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

#[derive(Deserialize)]
struct RefreshGrantRequest {
    refresh_token: Option<String>,
}

/// Answers a session for a password, a refresh token, or the code at the end of a sign-in.
pub(super) async fn create_token(
    State(app): State<Arc<App>>,
    Query(query): Query<GrantQuery>,
    client: Client,
    request: Request,
) -> Result<Json<SessionResponse>> {
    let body = body(request, &app).await?;
    let grant = match query.grant_type.as_deref() {
        Some("password") => {
            let request = password_grant(parse(&body)?)?;
            sign_in(&app, &client, &request).await?
        }
        Some("refresh_token") => {
            let RefreshGrantRequest { refresh_token } = parse(&body)?;
            let token = given(refresh_token);
            let token = token.ok_or_else(|| Error::validation("refresh_token required"))?;
            refresh(&app, &client, &RefreshToken::from(token)).await?
        }
        Some("pkce") => {
            let PkceGrantRequest {
                auth_code,
                code_verifier,
            } = parse(&body)?;
            let both = given(auth_code).zip(given(code_verifier));
            let (code, verifier) = both.ok_or_else(|| {
                Error::validation(
                    "invalid request: both auth code and code verifier should be non-empty",
                )
            })?;
            exchange_code(&app, &client, &code.into(), &verifier.into()).await?
        }
        Some(_) | None => return Err(Error::UnsupportedGrant),
    };
    Ok(Json(SessionResponse::from(grant)))
}

/// What is no address or number is nobody's account: it gets the answer of a wrong password.
fn password_grant(request: PasswordGrantRequest) -> Result<SignIn> {
    let contact = match (given(request.email), given(request.phone)) {
        (Some(_), Some(_)) => {
            return Err(Error::validation(
                "Only an email address or phone number should be provided on login.",
            ));
        }
        (None, None) => return Err(Error::validation("missing email or phone")),
        (Some(text), None) => EmailAddress::parse(&text).ok().map(Contact::Email),
        (None, Some(text)) => PhoneNumber::parse(&text).ok().map(Contact::Phone),
    };
    Ok(SignIn {
        contact,
        password: Secret::from(request.password.unwrap_or_default()),
    })
}
