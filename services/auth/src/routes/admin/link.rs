//! `POST /admin/generate_link` and `POST /invite`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::actions::admin::{LinkKind, generate_link, invite};
use crate::actions::caller::Admin;
use crate::app::App;
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, RedirectTo};
use crate::routes::requests::{email, given};
use crate::wire::UserResponse;

#[derive(Deserialize)]
pub(crate) struct InviteRequest {
    email: Option<String>,
    data: Option<Metadata>,
}

/// Invites somebody by a letter.
pub(crate) async fn invite_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    client: Client,
    RedirectTo(redirect_to): RedirectTo,
    JsonBody(request): JsonBody<InviteRequest>,
) -> Result<Json<UserResponse>> {
    let email = email(&request.email.unwrap_or_default())?;
    let with = (request.data.unwrap_or_default(), redirect_to);
    let user = Box::pin(invite(&app, &client, &admin, email, with)).await?;
    Ok(Json(UserResponse::from(user)))
}

#[derive(Deserialize)]
pub(crate) struct LinkRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    new_email: Option<String>,
    password: Option<String>,
    data: Option<Metadata>,
    redirect_to: Option<String>,
}

/// Makes a link for the caller to send: the user, and what a letter would have carried.
pub(crate) async fn create_link(
    State(app): State<Arc<App>>,
    admin: Admin,
    client: Client,
    RedirectTo(redirect_to): RedirectTo,
    JsonBody(request): JsonBody<LinkRequest>,
) -> Result<Json<Value>> {
    let address = email(&request.email.unwrap_or_default())?;
    let new_email = || {
        let new_email = given(request.new_email.clone());
        email(&new_email.unwrap_or_default())
    };
    let kind = match request.kind.as_deref() {
        Some("signup") => {
            let password = given(request.password)
                .ok_or_else(|| Error::validation("Signup requires a valid password"))?;
            LinkKind::Signup(Secret::from(password))
        }
        Some("invite") => LinkKind::Invite,
        Some("magiclink") => LinkKind::MagicLink,
        Some("recovery") => LinkKind::Recovery,
        Some("email_change_current") => LinkKind::EmailChangeCurrent(new_email()?),
        Some("email_change_new") => LinkKind::EmailChangeNew(new_email()?),
        Some(other) => {
            let message = format!("Invalid email action link type requested: {other}");
            return Err(Error::validation(message));
        }
        None => {
            return Err(Error::validation(
                "Invalid email action link type requested",
            ));
        }
    };
    let asked = given(request.redirect_to);
    let redirect_to = asked.map_or(redirect_to, |asked| app.rules.links.choose(Some(&asked)));
    let with = (request.data.unwrap_or_default(), redirect_to);
    let link = Box::pin(generate_link(&app, &client, &admin, (address, kind), with)).await?;
    let user = UserResponse::from(link.user);
    let mut answer = serde_json::to_value(user).map_err(Error::internal)?;
    let letter = link.letter;
    answer["action_link"] = json!(letter.link.as_str());
    answer["email_otp"] = json!(letter.code.expose());
    answer["hashed_token"] = json!(letter.link_token.expose());
    answer["verification_type"] = json!(link.verification);
    answer["redirect_to"] = json!(letter.redirect_to.as_str());
    Ok(Json(answer))
}
