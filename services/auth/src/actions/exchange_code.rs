//! Trading the code at the end of a sign-in for its session.

use common::Secret;

use crate::actions::grant::{Grant, Spent, open_session};
use crate::app::{App, Limited};
use crate::domain::session::{Client, Method};
use crate::error::refusal::{
    BAD_CODE_VERIFIER, FLOW_STATE_EXPIRED, FLOW_STATE_NOT_FOUND, USER_BANNED,
};
use crate::error::{Error, Result};
use crate::store;

/// Opens a session for whoever began the sign-in, shows it, and has its code. A code is good once,
/// whatever comes of it, unless the operator's own server grants no token.
pub async fn exchange_code(
    app: &App,
    client: &Client,
    code: &Secret,
    verifier: &Secret,
) -> Result<Grant> {
    app.limit(Limited::Token, client)?;
    let mut transaction = app.begin().await?;
    let flow = store::flow_states::find_by_code(&mut transaction, code.expose()).await?;
    let flow = flow.ok_or(FLOW_STATE_NOT_FOUND)?;
    let taken = store::flow_states::take(&mut transaction, flow.id).await?;
    let spent = Spent::Code(taken.ok_or(FLOW_STATE_NOT_FOUND)?);
    if flow.code_expired(app.now()) {
        transaction.commit().await?;
        return Err(FLOW_STATE_EXPIRED.into());
    }
    let is_met =
        |challenge: &crate::domain::pkce::CodeChallenge| challenge.is_met_by(verifier.expose());
    if !flow.challenge.as_ref().is_some_and(is_met) {
        transaction.commit().await?;
        return Err(BAD_CODE_VERIFIER.into());
    }
    let user_id = flow.user_id.ok_or(FLOW_STATE_NOT_FOUND)?;
    let user = store::users::find_for_update(&mut transaction, user_id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    if user.is_banned(app.now()) {
        return Err(USER_BANNED.into());
    }
    let method = Method::from_name(&flow.method).unwrap_or(Method::Otp);
    let opened = open_session(app, &mut transaction, client, user, method).await?;
    let provider_tokens = app.opened(flow.id, flow.provider_tokens)?;
    transaction.commit().await?;
    let granted = Box::pin(opened.granted_for(app, &spent)).await?;
    Ok(Grant {
        provider_tokens,
        ..granted
    })
}
