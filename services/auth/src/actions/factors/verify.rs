//! Showing a second factor: the session is a stronger one from then on.

use common::Secret;
use pg::sqlx::PgConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{own, session};
use crate::actions::caller::Caller;
use crate::actions::grant::{Grant, Opened};
use crate::actions::refresh::renew;
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::factor::{Challenge, Factor, FactorType};
use crate::domain::ids::SessionId;
use crate::domain::session::{Client, Method};
use crate::domain::totp;
use crate::error::refusal::{
    CHALLENGE_EXPIRED, CHALLENGE_NOT_FOUND, FACTOR_NOT_FOUND, MFA_CODE_WRONG, WEBAUTHN_FACTOR_WRONG,
};
use crate::error::{Error, Rejection, Result};
use crate::hooks::{Decision, HookName};
use crate::store;
use crate::webauthn::KeyError;

/// What a user shows.
#[derive(Debug)]
pub enum Evidence {
    /// The code of an app, or one that was sent.
    Code(Secret),
    /// What a browser answered with a security key.
    Key(Value),
}

/// Takes what shows a factor, and answers the session's new tokens.
pub async fn show(
    app: &App,
    client: &Client,
    caller: &Caller,
    (factor_id, challenge_id): (Uuid, Uuid),
    evidence: &Evidence,
) -> Result<Grant> {
    app.limit(Limited::Factor, client)?;
    let session_id = session(caller)?.id;
    let factor = own(caller, factor_id)?;
    let account = factor_id.to_string();
    app.limiters.wrong_codes.take(account.clone(), app.now())?;
    let ids = (session_id, challenge_id);
    // Checked twice where somebody is asked in between, when no connection is held.
    if app.has_hook(HookName::MfaVerificationAttempt) {
        let mut transaction = app.begin().await?;
        let challenge = find_challenge(app, &mut transaction, factor, ids).await?;
        let checked = check(app, &mut transaction, factor, &challenge, evidence).await;
        transaction.rollback().await?;
        ask_hook(app, caller, factor, checked.is_ok()).await?;
        checked?;
    }
    let mut transaction = app.begin().await?;
    let challenge = find_challenge(app, &mut transaction, factor, ids).await?;
    let (method, step) = check(app, &mut transaction, factor, &challenge, evidence).await?;
    app.limiters.wrong_codes.give_back(&account);
    let opened = strengthen(
        app,
        &mut transaction,
        client,
        caller,
        (factor, &challenge, method, step),
    )
    .await?;
    transaction.commit().await?;
    opened.granted(app).await
}

/// What the session was asked, and may still answer. The session is locked.
async fn find_challenge(
    app: &App,
    connection: &mut PgConnection,
    factor: &Factor,
    (session_id, challenge_id): (SessionId, Uuid),
) -> Result<Challenge> {
    if !store::sessions::lock(connection, session_id).await? {
        return Err(Error::SessionNotFound);
    }
    let found = store::factors::find_challenge(connection, factor.id, challenge_id).await?;
    let challenge = found.ok_or(CHALLENGE_NOT_FOUND)?;
    let over = app.now() > challenge.created_at + app.rules.factors.challenge_lifetime;
    if over || challenge.verified_at.is_some() {
        return Err(CHALLENGE_EXPIRED.into());
    }
    Ok(challenge)
}

/// Tells the operator's own code that a factor was shown, and does what it decides.
async fn ask_hook(app: &App, caller: &Caller, factor: &Factor, valid: bool) -> Result<()> {
    let name = HookName::MfaVerificationAttempt;
    if !app.has_hook(name) {
        return Ok(());
    }
    let payload = json!({
        "user_id": caller.user.id, "factor_id": factor.id,
        "factor_type": factor.factor_type, "valid": valid,
    });
    let answer: Option<Decision> = app.ask_hook(name, &payload).await?;
    match answer.filter(Decision::is_rejection) {
        None => Ok(()),
        Some(decision) => Err(Error::Rejected(Rejection::Factor, decision.message())),
    }
}

/// How the factor was shown, and the time step of an app's code.
async fn check(
    app: &App,
    connection: &mut PgConnection,
    factor: &Factor,
    challenge: &Challenge,
    evidence: &Evidence,
) -> Result<(Method, Option<i64>)> {
    match (factor.factor_type, evidence) {
        (FactorType::Totp, Evidence::Code(code)) => {
            let found = store::factors::find_secret(connection, factor.id).await?;
            let (sealed, last_step) = found.ok_or(FACTOR_NOT_FOUND)?;
            let place = factor.id.to_string();
            let secret = app.seal.open(&place, &sealed).map_err(Error::internal)?;
            let now = u64::try_from(app.now().unix_timestamp()).unwrap_or_default();
            let step = totp::step_of(&secret, code.expose(), now).map_err(Error::internal)?;
            let step = step.and_then(|step| i64::try_from(step).ok());
            // A code that somebody saw being typed is worth nothing.
            let step = step.filter(|step| last_step.is_none_or(|last| *step > last));
            Ok((Method::Totp, Some(step.ok_or(MFA_CODE_WRONG)?)))
        }
        (FactorType::Phone, Evidence::Code(code)) => {
            let hash = app
                .one_time_key
                .code_hash(&challenge.id.to_string(), code.expose());
            let stored = challenge.code_hash.as_deref().unwrap_or_default();
            if Secret::from(hash).matches(stored) {
                Ok((Method::PhoneFactor, None))
            } else {
                Err(MFA_CODE_WRONG.into())
            }
        }
        (FactorType::Webauthn, Evidence::Key(answer)) => {
            check_key(app, connection, (factor, challenge), answer).await?;
            Ok((Method::WebauthnFactor, None))
        }
        (FactorType::Webauthn, Evidence::Code(_)) => Err(WEBAUTHN_FACTOR_WRONG.into()),
        (FactorType::Totp | FactorType::Phone, Evidence::Key(_)) => Err(MFA_CODE_WRONG.into()),
    }
}

/// Keeps the key that a browser made, or notes that the one that was made was used.
async fn check_key(
    app: &App,
    connection: &mut PgConnection,
    (factor, challenge): (&Factor, &Challenge),
    answer: &Value,
) -> Result<()> {
    let asked = challenge.webauthn_state.as_ref();
    let asked = asked.ok_or(CHALLENGE_NOT_FOUND)?;
    let state = asked.get("state").unwrap_or(&Value::Null);
    let key = if asked.get("type").and_then(Value::as_str) == Some("create") {
        app.relying_party.new_key(state, answer)
    } else {
        let key = store::factors::find_credential(connection, factor.id).await?;
        let key = key.ok_or(FACTOR_NOT_FOUND)?;
        app.relying_party.used_key(state, answer, &key)
    };
    let key = key.map_err(|error| match error {
        KeyError::Answer(_) => WEBAUTHN_FACTOR_WRONG.into(),
        KeyError::Stored(_) => Error::internal(error),
    })?;
    store::factors::update_credential(connection, factor.id, &key).await?;
    Ok(())
}

type Shown<'a> = (&'a Factor, &'a Challenge, Method, Option<i64>);

async fn strengthen(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    caller: &Caller,
    (factor, challenge, method, step): Shown<'_>,
) -> Result<Opened> {
    let session_id = session(caller)?.id;
    let now = app.now();
    let user_id = caller.user.id;
    store::factors::update_challenge(connection, challenge.id, now).await?;
    store::factors::update_verified(connection, factor.id, step, now).await?;
    let claim_id = app.randomness.uuid();
    let shown = (factor.id, method, claim_id);
    store::factors::strengthen(connection, (session_id, user_id), shown, now).await?;
    store::factors::delete_unverified(connection, user_id, now).await?;
    let user = store::users::find(connection, user_id).await?;
    let user = user.ok_or(Error::TokenUserNotFound)?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::VerificationAttempted);
    app.audit(connection, client, entry).await?;
    renew(app, connection, client, user, session_id).await
}
