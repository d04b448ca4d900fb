//! `/api/v1/auth`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use common::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::{LogInResponse, ProfileResponse};
use crate::actions::caller::{caller, identity};
use crate::actions::messages::Leading;
use crate::actions::refresh;
use crate::actions::sign_in::{SignIn, sign_in};
use crate::actions::sign_out::{Scope, sign_out, sign_out_token};
use crate::actions::sign_up::{SignUp, SignedUp, sign_up};
use crate::app::App;
use crate::domain::email::EmailAddress;
use crate::domain::metadata::Metadata;
use crate::domain::refresh_token::RefreshToken;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, body, parse};
use crate::routes::requests::{email, given};
use crate::sms::Channel;

#[derive(Deserialize)]
pub(crate) struct RegisterRequest {
    email: Option<String>,
    password: Option<String>,
}

/// Makes an account; the user's profile, and a session where the address needs no confirmation.
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    client: Client,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<Response> {
    let password = given(request.password)
        .ok_or_else(|| Error::validation("Signup requires a valid password"))?;
    let request = SignUp {
        contact: Contact::Email(email(&request.email.unwrap_or_default())?),
        password: Secret::from(password),
        data: Metadata::default(),
        leading: Leading::to_site(&app),
        channel: Channel::Sms,
    };
    let answer = match Box::pin(sign_up(&app, &client, request)).await? {
        SignedUp::In(grant) => {
            let profile = ProfileResponse::new(&grant.user, app.now());
            merged(&profile, Some(&LogInResponse::from(*grant)))?
        }
        SignedUp::Pending(user) => merged(&ProfileResponse::new(&user, app.now()), None)?,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn merged(profile: &ProfileResponse, session: Option<&LogInResponse>) -> Result<Value> {
    let mut merged = serde_json::to_value(profile).map_err(Error::internal)?;
    let session = serde_json::to_value(session).map_err(Error::internal)?;
    if let (Value::Object(merged), Value::Object(session)) = (&mut merged, session) {
        merged.extend(session);
    }
    Ok(merged)
}

#[derive(Deserialize)]
struct LogInRequest {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

/// Opens a session for an address and a password, sent as a form or as JSON.
pub(crate) async fn log_in(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request,
) -> Result<Json<LogInResponse>> {
    let request = read_log_in(request, &app).await?;
    let name = given(request.username).or(given(request.email));
    let name = name.ok_or_else(|| Error::validation("missing username"))?;
    let request = SignIn {
        contact: EmailAddress::parse(&name).ok().map(Contact::Email),
        password: Secret::from(request.password.unwrap_or_default()),
    };
    let grant = sign_in(&app, &client, &request).await?;
    Ok(Json(LogInResponse::from(grant)))
}

async fn read_log_in(request: Request, app: &Arc<App>) -> Result<LogInRequest> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let is_form =
        content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let body = body(request, app).await?;
    if is_form {
        serde_urlencoded::from_bytes(&body).map_err(|error| Error::validation(error.to_string()))
    } else {
        parse(&body)
    }
}

#[derive(Default, Deserialize)]
pub(crate) struct RefreshRequest {
    refresh_token: Option<String>,
}

/// Trades a refresh token for the next pair of tokens.
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    client: Client,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<Json<LogInResponse>> {
    let token = given(request.refresh_token);
    let token = token.ok_or_else(|| Error::validation("refresh_token required"))?;
    let grant = refresh::refresh(&app, &client, &RefreshToken::from(token)).await?;
    Ok(Json(LogInResponse::from(grant)))
}

/// Ends the session of the refresh token in the body, or else of the bearer token.
pub(crate) async fn log_out(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request,
) -> Result<Json<Value>> {
    let headers = request.headers().clone();
    let body = body(request, &app).await?;
    let request: RefreshRequest = if body.is_empty() {
        RefreshRequest::default()
    } else {
        parse(&body)?
    };
    if let Some(token) = given(request.refresh_token) {
        sign_out_token(&app, &client, &RefreshToken::from(token)).await?;
    } else {
        let identity = identity(&app, &headers)?;
        let caller = caller(&app, &identity).await?;
        sign_out(&app, &client, &caller, Scope::Local).await?;
    }
    Ok(Json(json!({ "message": "Successfully logged out" })))
}
