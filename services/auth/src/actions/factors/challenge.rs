//! Being asked for a second factor.

use pg::sqlx::PgConnection;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{own, session};
use crate::actions::caller::Caller;
use crate::actions::messages::send_text;
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::factor::{Challenge, Factor, FactorType};
use crate::domain::one_time::digits_code;
use crate::domain::session::Client;
use crate::error::refusal::{
    FACTOR_NOT_FOUND, PHONE_VERIFY_DISABLED, TOTP_VERIFY_DISABLED, WEBAUTHN_VERIFY_DISABLED,
};
use crate::error::{Error, Medium, Result, TooManyMessages};
use crate::sms::Channel;
use crate::store;
use crate::webauthn::KeyUse;

/// What a user is asked.
#[derive(Debug)]
pub struct Asked {
    /// The challenge's id.
    pub id: Uuid,
    /// What of.
    pub factor_type: FactorType,
    /// What the browser of a security key is given.
    pub webauthn: Option<KeyRequest>,
    /// Until when it can be answered.
    pub expires_at: OffsetDateTime,
}

/// What a browser is asked of a security key.
#[derive(Debug)]
pub struct KeyRequest {
    /// Whether it is to make a key, or to use the one that was made.
    pub kind: KeyRequestKind,
    /// The content of `publicKey`.
    pub options: Value,
}

/// What a browser is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRequestKind {
    /// Make a key.
    Create,
    /// Use it.
    Request,
}

impl KeyRequestKind {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Request => "request",
        }
    }
}

/// Asks for a factor; a code is sent to a phone.
pub async fn ask(
    app: &App,
    client: &Client,
    caller: &Caller,
    id: Uuid,
    channel: Channel,
) -> Result<Asked> {
    app.limit(Limited::Factor, client)?;
    session(caller)?;
    let factor = own(caller, id)?;
    check_enabled(app, factor)?;
    let now = app.now();
    let mut challenge = Challenge {
        id: app.randomness.uuid(),
        code_hash: None,
        created_at: now,
        verified_at: None,
        webauthn_state: None,
    };
    let message = match (&factor.phone, factor.factor_type) {
        (Some(phone), FactorType::Phone) => {
            check_pause(app, client, factor, now)?;
            let code = app.rules.sms.test_code(phone, now).cloned();
            let is_test = code.is_some();
            let digits = app.rules.sms.code_digits;
            let code = code.unwrap_or_else(|| digits_code(&*app.randomness, digits).into());
            let place = challenge.id.to_string();
            challenge.code_hash = Some(app.one_time_key.code_hash(&place, code.expose()));
            (!is_test).then(|| (phone.clone(), code))
        }
        (_, FactorType::Totp | FactorType::Webauthn) | (None, FactorType::Phone) => None,
    };
    let mut transaction = app.begin().await?;
    let webauthn = if factor.factor_type == FactorType::Webauthn {
        let (request, state) = key_request(app, &mut transaction, caller, factor).await?;
        challenge.webauthn_state = Some(state);
        Some(request)
    } else {
        None
    };
    store::factors::insert_challenge(&mut transaction, id, &challenge, client).await?;
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::ChallengeCreated);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    if let Some((phone, code)) = message {
        send_text(app, &caller.user, (&phone, &code, channel)).await?;
    }
    Ok(Asked {
        id: challenge.id,
        factor_type: factor.factor_type,
        webauthn,
        expires_at: now + app.rules.factors.challenge_lifetime,
    })
}

/// A factor that was not shown yet gets its key now; one that was is asked for it.
async fn key_request(
    app: &App,
    connection: &mut PgConnection,
    caller: &Caller,
    factor: &Factor,
) -> Result<(KeyRequest, Value)> {
    let key_use = KeyUse::SecondFactor;
    let (kind, question) = if factor.is_verified() {
        let key = store::factors::find_credential(connection, factor.id).await?;
        let key = key.ok_or(FACTOR_NOT_FOUND)?;
        let question = app.relying_party.ask_for(&[key], key_use)?;
        (KeyRequestKind::Request, question)
    } else {
        let keys = store::factors::list_credentials(connection, caller.user.id).await?;
        let question = app
            .relying_party
            .ask_for_new(&caller.user, &keys, key_use)?;
        (KeyRequestKind::Create, question)
    };
    let state = json!({ "type": kind.as_str(), "state": question.state });
    let options = question.options;
    Ok((KeyRequest { kind, options }, state))
}

fn check_pause(app: &App, client: &Client, factor: &Factor, now: OffsetDateTime) -> Result<()> {
    let left = factor
        .last_challenged_at
        .map(|last| last + app.rules.sms.pause - now);
    if let Some(left) = left.filter(|left| left.is_positive()) {
        return Err(Error::MessagesLimited(TooManyMessages {
            medium: Medium::Sms,
            same_user: true,
            pause: left.unsigned_abs(),
        }));
    }
    app.limit_messages(Medium::Sms, client)
}

fn check_enabled(app: &App, factor: &Factor) -> Result<()> {
    let rules = &app.rules.factors;
    let (switch, disabled) = match factor.factor_type {
        FactorType::Totp => (rules.totp_verify, TOTP_VERIFY_DISABLED),
        FactorType::Phone => (rules.phone_verify, PHONE_VERIFY_DISABLED),
        FactorType::Webauthn => (rules.webauthn_verify, WEBAUTHN_VERIFY_DISABLED),
    };
    if switch.is_on() {
        Ok(())
    } else {
        Err(disabled.into())
    }
}
