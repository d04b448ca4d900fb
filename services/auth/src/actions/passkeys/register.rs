//! Registering a passkey.

use serde_json::Value;
use uuid::Uuid;

use super::{PasskeyQuestion, ask, check_enabled, check_strength, credential_id, take};
use crate::actions::caller::Caller;
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::passkey::{Passkey, PasskeyPurpose};
use crate::domain::session::Client;
use crate::error::Result;
use crate::error::refusal::{PASSKEY_EXISTS, PASSKEY_OF_SSO, TOO_MANY_PASSKEYS};
use crate::store;
use crate::webauthn::KeyUse;

/// Asks the caller's browser for a new passkey.
pub async fn begin_registration(
    app: &App,
    client: &Client,
    caller: &Caller,
) -> Result<PasskeyQuestion> {
    check(app, client, caller)?;
    let mut connection = app.pool.acquire().await?;
    let passkeys = store::passkeys::list(&mut connection, caller.user.id).await?;
    drop(connection);
    if passkeys.len() >= app.webauthn.max_passkeys {
        return Err(TOO_MANY_PASSKEYS.into());
    }
    let keys: Vec<Value> = passkeys.into_iter().map(|passkey| passkey.key).collect();
    let question = app
        .relying_party
        .ask_for_new(&caller.user, &keys, KeyUse::Passkey)?;
    let purpose = (PasskeyPurpose::Registration, Some(caller.user.id));
    ask(app, question, purpose).await
}

/// Keeps the passkey that the caller's browser made.
pub async fn finish_registration(
    app: &App,
    client: &Client,
    caller: &Caller,
    (challenge_id, answer): (Uuid, &Value),
) -> Result<Passkey> {
    check(app, client, caller)?;
    let user_id = caller.user.id;
    let purpose = PasskeyPurpose::Registration;
    let challenge = take(app, challenge_id, purpose, Some(user_id)).await?;
    let key = app.relying_party.new_key(&challenge.state, answer)?;
    let name = credential_id(&key, "cred_id")?;
    let passkey = Passkey {
        id: app.randomness.uuid(),
        user_id,
        key,
        friendly_name: String::new(),
        created_at: app.now(),
        last_used_at: None,
    };
    let mut transaction = app.begin().await?;
    if !store::passkeys::insert(&mut transaction, &passkey, &name).await? {
        return Err(PASSKEY_EXISTS.into());
    }
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::PasskeyCreated);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(passkey)
}

fn check(app: &App, client: &Client, caller: &Caller) -> Result<()> {
    check_enabled(app)?;
    app.limit(Limited::Passkey, client)?;
    if caller.user.is_sso {
        return Err(PASSKEY_OF_SSO.into());
    }
    check_strength(caller)
}
