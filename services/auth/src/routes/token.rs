//! `POST /token?grant_type=…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use common::Secret;
use serde::Deserialize;

use super::requests::given;
use crate::actions::caller::{caller, identity};
use crate::actions::exchange_code::exchange_code;
use crate::actions::external::{IdTokenGrant, sign_in_by_id_token};
use crate::actions::refresh::refresh;
use crate::actions::sign_in::{SignIn, sign_in};
use crate::app::App;
use crate::captcha::{self, MetaSecurity};
use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use crate::domain::refresh_token::RefreshToken;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::error::refusal::WEB3_DISABLED;
use crate::error::{Error, Result};
use crate::extract::{body, parse};
use crate::wire::SessionResponse;

#[derive(Deserialize)]
pub(super) struct GrantQuery {
    grant_type: Option<String>,
}

#[derive(Deserialize)]
struct PasswordGrantRequest {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    gotrue_meta_security: Option<MetaSecurity>,
}

#[derive(Deserialize)]
struct PkceGrantRequest {
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

#[derive(Deserialize)]
struct IdTokenRequest {
    provider: Option<String>,
    id_token: Option<String>,
    nonce: Option<String>,
    link_identity: Option<bool>,
}

impl IdTokenRequest {
    fn grant(self) -> Result<IdTokenGrant> {
        let token = given(self.id_token);
        let token = token.ok_or_else(|| Error::validation("id_token required"))?;
        let provider = given(self.provider);
        Ok(IdTokenGrant {
            provider: provider.ok_or_else(|| Error::validation("provider required"))?,
            id_token: Secret::from(token),
            nonce: given(self.nonce).map(Secret::from),
        })
    }
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
    let headers = request.headers().clone();
    let body = body(request, &app).await?;
    let grant = match query.grant_type.as_deref() {
        Some("password") => {
            let request: PasswordGrantRequest = parse(&body)?;
            captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
            let request = password_grant(request)?;
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
        Some("id_token") => {
            let request: IdTokenRequest = parse(&body)?;
            let caller = if request.link_identity == Some(true) {
                let identity = identity(&app, &headers)?;
                Some(caller(&app, &identity).await?)
            } else {
                None
            };
            let request = request.grant()?;
            Box::pin(sign_in_by_id_token(
                &app,
                &client,
                caller.as_ref(),
                &request,
            ))
            .await?
        }
        Some("web3") => return Err(WEB3_DISABLED.into()),
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
