//! Signing in by an id token that an app was given.

use common::Secret;

use super::account::{Resolved, foresee, resolve};
use super::refused;
use crate::actions::accounts;
use crate::actions::caller::Caller;
use crate::actions::grant::{Grant, open_session};
use crate::app::{App, Limited};
use crate::domain::session::{Client, Method};
use crate::error::Result;
use crate::error::refusal::{MANUAL_LINKING_DISABLED, PROVIDER_DISABLED, USER_BANNED};
use crate::external::IdTokenCheck;

/// A token and what it is checked by.
#[derive(Debug)]
pub struct IdTokenGrant {
    /// The provider's name; only its issuer is believed.
    pub provider: String,
    /// The token.
    pub id_token: Secret,
    /// What the app kept, whose SHA-256 the token carries.
    pub nonce: Option<Secret>,
}

/// Opens a session for whom the token says it is, or links them to `caller`.
pub async fn sign_in_by_id_token(
    app: &App,
    client: &Client,
    caller: Option<&Caller>,
    request: &IdTokenGrant,
) -> Result<Grant> {
    app.limit(Limited::Token, client)?;
    if caller.is_some() && !app.rules.manual_linking.is_on() {
        return Err(MANUAL_LINKING_DISABLED.into());
    }
    let provider = app.provider(&request.provider)?;
    if !provider.has_id_tokens() {
        return Err(PROVIDER_DISABLED.into());
    }
    let check = if provider.config.skip_nonce_check.is_on() {
        IdTokenCheck::Anything
    } else {
        IdTokenCheck::AppNonce(request.nonce.as_ref().map(Secret::expose))
    };
    let token = request.id_token.expose();
    let external = Box::pin(provider.read_id_token(token, &check))
        .await
        .map_err(refused)?;
    let target = caller.map(|caller| caller.user.id);
    let whose = (request.provider.as_str(), target);
    let prospect = foresee(app, client, whose, &external).await?;
    let mut transaction = app.begin().await?;
    let Resolved { user, newness } =
        resolve(app, &mut transaction, client, whose, external, prospect).await?;
    if user.is_banned(app.now()) {
        return Err(USER_BANNED.into());
    }
    let opened = open_session(app, &mut transaction, client, user, Method::Oauth).await?;
    let newcomer = newness.newcomer(&opened.user);
    accounts::commit(app, transaction, client, newcomer).await?;
    opened.granted(app).await
}
