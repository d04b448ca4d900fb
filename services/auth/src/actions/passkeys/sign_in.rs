//! Signing in by a passkey: the browser says whose it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

use super::{PasskeyQuestion, ask, check_enabled, credential_id, take};
use crate::actions::grant::{Grant, open_session};
use crate::app::{App, Limited};
use crate::domain::ids::UserId;
use crate::domain::passkey::PasskeyPurpose;
use crate::domain::session::{Client, Method};
use crate::domain::user::User;
use crate::error::Result;
use crate::error::refusal::{
    PASSKEY_EMAIL_NOT_CONFIRMED, PASSKEY_PHONE_NOT_CONFIRMED, USER_BANNED, WEBAUTHN_FAILED,
};
use crate::store;
use crate::webauthn::KeyUse;

/// Asks anybody's browser for a passkey of ours.
pub async fn begin_sign_in(app: &App, client: &Client) -> Result<PasskeyQuestion> {
    check_enabled(app)?;
    app.limit(Limited::Passkey, client)?;
    let question = app.relying_party.ask_for(&[], KeyUse::Passkey)?;
    ask(app, question, (PasskeyPurpose::Authentication, None)).await
}

/// Opens a session for the user whose passkey it is.
pub async fn finish_sign_in(
    app: &App,
    client: &Client,
    (challenge_id, answer): (Uuid, &Value),
) -> Result<Grant> {
    check_enabled(app)?;
    app.limit(Limited::Passkey, client)?;
    let purpose = PasskeyPurpose::Authentication;
    let challenge = take(app, challenge_id, purpose, None).await?;
    let user_id = user_handle(answer).ok_or(WEBAUTHN_FAILED)?;
    let name = credential_id(answer, "rawId")?;
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, user_id).await?;
    let user = user.ok_or(WEBAUTHN_FAILED)?;
    let found = store::passkeys::find_for_update(&mut transaction, user_id, &name).await?;
    let passkey = found.ok_or(WEBAUTHN_FAILED)?;
    let key = app
        .relying_party
        .used_key(&challenge.state, answer, &passkey.key)?;
    check_may_sign_in(app, &user)?;
    store::passkeys::update_used(&mut transaction, passkey.id, &key, app.now()).await?;
    let opened = open_session(app, &mut transaction, client, user, Method::Passkey).await?;
    transaction.commit().await?;
    opened.granted(app).await
}

/// The user that the authenticator keeps the key for, who was told to it at registration.
fn user_handle(answer: &Value) -> Option<UserId> {
    let handle = answer.pointer("/response/userHandle")?.as_str()?;
    let bytes = URL_SAFE_NO_PAD.decode(handle).ok()?;
    Uuid::from_slice(&bytes).ok().map(UserId)
}

fn check_may_sign_in(app: &App, user: &User) -> Result<()> {
    if user.times.deleted_at.is_some() {
        return Err(WEBAUTHN_FAILED.into());
    }
    if user.is_banned(app.now()) {
        return Err(USER_BANNED.into());
    }
    if user.email.is_some() && user.times.email_confirmed_at.is_none() {
        return Err(PASSKEY_EMAIL_NOT_CONFIRMED.into());
    }
    if user.phone.is_some() && user.times.phone_confirmed_at.is_none() {
        return Err(PASSKEY_PHONE_NOT_CONFIRMED.into());
    }
    Ok(())
}
