//! Passkeys: registering one, signing in by it, giving it up.

mod manage;
mod register;
mod sign_in;

pub use manage::{list, remove, remove_of, rename};
pub use register::{begin_registration, finish_registration};
pub use sign_in::{begin_sign_in, finish_sign_in};

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::actions::caller::Caller;
use crate::app::App;
use crate::domain::ids::UserId;
use crate::domain::passkey::{PasskeyChallenge, PasskeyPurpose};
use crate::domain::session::Aal;
use crate::error::refusal::{
    PASSKEY_NEEDS_AAL2, PASSKEYS_DISABLED, WEBAUTHN_CHALLENGE_EXPIRED, WEBAUTHN_CHALLENGE_NOT_FOUND,
};
use crate::error::{Error, Result};
use crate::store;
use crate::webauthn::Question;

/// What a browser is asked.
#[derive(Debug)]
pub struct PasskeyQuestion {
    /// What its answer names.
    pub challenge_id: Uuid,
    /// What the browser is given.
    pub options: Value,
    /// Until when it can be answered.
    pub expires_at: OffsetDateTime,
}

fn check_enabled(app: &App) -> Result<()> {
    if app.webauthn.passkeys.is_on() {
        Ok(())
    } else {
        Err(PASSKEYS_DISABLED.into())
    }
}

/// Whether the caller may change what opens the account: who has a second factor has shown it.
fn check_strength(caller: &Caller) -> Result<()> {
    let session = caller.session.as_ref().ok_or(Error::SessionNotFound)?;
    if caller.user.has_second_factor() && session.aal < Aal::Aal2 {
        return Err(PASSKEY_NEEDS_AAL2.into());
    }
    Ok(())
}

async fn ask(
    app: &App,
    question: Question,
    (purpose, user_id): (PasskeyPurpose, Option<UserId>),
) -> Result<PasskeyQuestion> {
    let now = app.now();
    let challenge = PasskeyChallenge {
        id: app.randomness.uuid(),
        user_id,
        purpose,
        state: question.state,
        created_at: now,
        expires_at: now + app.webauthn.challenge_lifetime,
    };
    let mut connection = app.pool.acquire().await?;
    store::passkeys::insert_challenge(&mut connection, &challenge).await?;
    Ok(PasskeyQuestion {
        challenge_id: challenge.id,
        options: question.options,
        expires_at: challenge.expires_at,
    })
}

/// What was asked; whether or not the answer holds, there is no second.
async fn take(
    app: &App,
    id: Uuid,
    purpose: PasskeyPurpose,
    user_id: Option<UserId>,
) -> Result<PasskeyChallenge> {
    let mut connection = app.pool.acquire().await?;
    let taken = store::passkeys::take_challenge(&mut connection, id, purpose, user_id).await?;
    let challenge = taken.ok_or(WEBAUTHN_CHALLENGE_NOT_FOUND)?;
    if app.now() > challenge.expires_at {
        return Err(WEBAUTHN_CHALLENGE_EXPIRED.into());
    }
    Ok(challenge)
}

/// What an authenticator calls a key, in base64url.
fn credential_id(key_or_answer: &Value, name: &str) -> Result<String> {
    let id = key_or_answer.get(name).and_then(Value::as_str);
    id.map(str::to_owned)
        .ok_or_else(|| crate::error::refusal::WEBAUTHN_FAILED.into())
}
