//! Enrolling a second factor, and giving one up.

use common::Secret;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{own, session};
use crate::actions::caller::Caller;
use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::factor::{Factor, FactorType, NewFactor};
use crate::domain::phone::PhoneNumber;
use crate::domain::session::{Aal, Client};
use crate::domain::totp;
use crate::error::refusal::{
    ENROLL_NEEDS_AAL2, FACTOR_NAME_CONFLICT, PHONE_ENROLL_DISABLED, PHONE_FACTOR_EXISTS,
    TOO_MANY_FACTORS, TOTP_ENROLL_DISABLED, UNENROLL_NEEDS_AAL2, WEBAUTHN_ENROLL_DISABLED,
};
use crate::error::{Error, Result};
use crate::store;

/// The most bytes of what a user calls a factor, or of an issuer.
const MAX_NAME: usize = 255;

/// A factor to be enrolled.
#[derive(Debug)]
pub enum Enrolling {
    /// An authenticator app, which shows `issuer` for us.
    Totp {
        /// Who we are; the site's host unless given.
        issuer: Option<String>,
    },
    /// A phone.
    Phone(PhoneNumber),
    /// A security key.
    Webauthn,
}

/// A factor that waits to be shown.
#[derive(Debug)]
pub struct Enrolled {
    /// The factor's id.
    pub id: Uuid,
    /// What the user calls it.
    pub friendly_name: String,
    /// What is shown once.
    pub shown: Shown,
}

/// What the user is shown of a new factor.
#[derive(Debug)]
pub enum Shown {
    /// What an authenticator app is given.
    Totp {
        /// The secret, in base32.
        secret: Secret,
        /// The secret as an address.
        address: Secret,
        /// The address as a picture.
        picture: Secret,
    },
    /// The phone.
    Phone(String),
    /// Nothing: the key is asked next.
    Webauthn,
}

/// Enrols a factor, which counts once it was shown.
pub async fn enroll(
    app: &App,
    client: &Client,
    caller: &Caller,
    name: Option<String>,
    enrolling: Enrolling,
) -> Result<Enrolled> {
    let session = session(caller)?;
    check_enabled(app, &enrolling)?;
    let name = name.unwrap_or_default();
    if name.len() > MAX_NAME {
        return Err(Error::validation("A factor's name has at most 255 bytes"));
    }
    let factors = &caller.user.factors;
    let verified = factors.iter().filter(|factor| factor.is_verified()).count();
    if verified > 0 && session.aal < Aal::Aal2 {
        return Err(ENROLL_NEEDS_AAL2.into());
    }
    if verified >= app.rules.factors.max_enrolled {
        return Err(TOO_MANY_FACTORS.into());
    }
    let is_named = |factor: &&Factor| {
        !name.trim().is_empty() && factor.friendly_name.as_deref() == Some(name.as_str())
    };
    if factors
        .iter()
        .find(is_named)
        .is_some_and(Factor::is_verified)
    {
        return Err(FACTOR_NAME_CONFLICT.into());
    }
    let id = app.randomness.uuid();
    let (new, shown) = prepare(app, caller, (id, &name), enrolling)?;
    let mut transaction = app.begin().await?;
    let now = app.now();
    // Whoever starts again gives up what they did not finish.
    store::factors::delete_unverified(&mut transaction, caller.user.id, stale(app, now)).await?;
    let unfinished = factors.iter().filter(|factor| !factor.is_verified());
    for factor in unfinished
        .filter(|factor| is_named(factor) || factor.phone == new.phone && new.phone.is_some())
    {
        store::factors::delete(&mut transaction, factor.id).await?;
    }
    if factors.len() >= app.rules.factors.max_enrolled {
        return Err(TOO_MANY_FACTORS.into());
    }
    store::factors::insert(&mut transaction, &new, now).await?;
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::FactorInProgress);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(Enrolled {
        id,
        friendly_name: name,
        shown,
    })
}

/// Factors that began before this and were not shown are given up.
fn stale(app: &App, now: OffsetDateTime) -> OffsetDateTime {
    now - app.rules.factors.challenge_lifetime
}

fn check_enabled(app: &App, enrolling: &Enrolling) -> Result<()> {
    let rules = &app.rules.factors;
    let (switch, disabled) = match enrolling {
        Enrolling::Totp { .. } => (rules.totp, TOTP_ENROLL_DISABLED),
        Enrolling::Phone(_) => (rules.phone, PHONE_ENROLL_DISABLED),
        Enrolling::Webauthn => (rules.webauthn, WEBAUTHN_ENROLL_DISABLED),
    };
    if switch.is_on() {
        Ok(())
    } else {
        Err(disabled.into())
    }
}

fn prepare(
    app: &App,
    caller: &Caller,
    (id, name): (Uuid, &str),
    enrolling: Enrolling,
) -> Result<(NewFactor, Shown)> {
    let mut new = NewFactor {
        id,
        user_id: caller.user.id,
        friendly_name: name.to_owned(),
        factor_type: FactorType::Webauthn,
        sealed_secret: None,
        phone: None,
    };
    let shown = match enrolling {
        Enrolling::Webauthn => Shown::Webauthn,
        Enrolling::Phone(phone) => {
            let phone = phone.as_str().to_owned();
            let is_same = |factor: &Factor| {
                factor.is_verified() && factor.phone.as_deref() == Some(phone.as_str())
            };
            if caller.user.factors.iter().any(is_same) {
                return Err(PHONE_FACTOR_EXISTS.into());
            }
            new.factor_type = FactorType::Phone;
            new.phone = Some(phone.clone());
            Shown::Phone(phone)
        }
        Enrolling::Totp { issuer } => {
            let site = app.rules.links.site_url.host_str().unwrap_or("SelfDB");
            let issuer = issuer.unwrap_or_else(|| site.to_owned());
            if issuer.len() > MAX_NAME || issuer.chars().any(char::is_control) {
                return Err(Error::validation("An issuer has at most 255 bytes of text"));
            }
            let account = caller.user.email.as_ref().or(caller.user.phone.as_ref());
            let account = account.map_or_else(|| caller.user.id.to_string(), Clone::clone);
            let secret = totp::new_secret(&*app.randomness);
            let address = totp::address(&secret, &issuer, &account);
            let picture = totp::picture(&address).map_err(Error::internal)?;
            let place = id.to_string();
            let sealed = app.seal.seal(&*app.randomness, &place, &secret);
            new.sealed_secret = Some(sealed.map_err(Error::internal)?);
            new.factor_type = FactorType::Totp;
            Shown::Totp {
                secret,
                address: Secret::from(address),
                picture: Secret::from(picture),
            }
        }
    };
    Ok((new, shown))
}

/// Gives a factor up. One that counts needs a session in which a factor was shown.
pub async fn unenroll(app: &App, client: &Client, caller: &Caller, id: Uuid) -> Result<()> {
    let session = session(caller)?;
    let factor = own(caller, id)?;
    if factor.is_verified() && session.aal < Aal::Aal2 {
        return Err(UNENROLL_NEEDS_AAL2.into());
    }
    let mut transaction = app.begin().await?;
    store::factors::delete(&mut transaction, id).await?;
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::FactorDeleted);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(())
}
