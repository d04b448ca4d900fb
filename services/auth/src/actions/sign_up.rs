//! Making an account with an e-mail address or phone number and a password.

use common::Secret;
use pg::sqlx::PgConnection;

use crate::actions::grant::{Grant, open_session};
use crate::app::{App, Limited};
use crate::config::Switch;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::ids::UserId;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::session::{Client, Method};
use crate::domain::user::{
    Confirmation, Contact, DEFAULT_ROLE, NewIdentity, NewUser, User, UserTimes, provider_metadata,
};
use crate::error::{Error, Result};
use crate::store;
use crate::store::StoreError;

/// Who wants an account.
#[derive(Debug)]
pub struct SignUp {
    /// What the account is known by.
    pub contact: Contact,
    /// Its password.
    pub password: Secret,
    /// What the user says of themselves.
    pub data: Metadata,
}

/// What came of it.
#[derive(Debug)]
pub enum SignedUp {
    /// The account is there and the user signed in.
    In(Box<Grant>),
    /// The account waits for its address to be confirmed, or is there already: nobody can tell.
    Pending(Box<User>),
}

/// Makes an account, unless there is one.
pub async fn sign_up(app: &App, client: &Client, request: SignUp) -> Result<SignedUp> {
    app.limit(Limited::SignUp, client)?;
    if !app.rules.sign_up.is_on() {
        return Err(Error::SignUpDisabled);
    }
    let rules = app.contact_rules(&request.contact)?;
    app.rules.passwords.check(request.password.expose())?;
    check_size(&Metadata::default(), &request.data)?;
    // Hashed before anything is looked up: it takes as long where there is an account already.
    let hash = app.hasher.hash(&request.password).await?;
    let new = new_user(app, &request, hash, rules.autoconfirm);
    let mut transaction = app.begin().await?;
    let existing = store::users::find_by_contact(&mut transaction, &request.contact).await?;
    if let Some(existing) = existing {
        let entry = AuditEntry::new(Actor::user(&existing), AuditAction::UserRepeatedSignUp)
            .with_provider(request.contact.provider());
        app.audit(&mut transaction, client, entry).await?;
        transaction.commit().await?;
        return taken(&new, rules.autoconfirm);
    }
    match store::users::insert(&mut transaction, &new).await {
        // Somebody else was faster.
        Err(StoreError::EmailTaken | StoreError::PhoneTaken) => {
            return taken(&new, rules.autoconfirm);
        }
        other => other?,
    }
    let signed_up = complete(app, &mut transaction, client, &request.contact, &new).await?;
    transaction.commit().await?;
    Ok(signed_up)
}

fn new_user(app: &App, request: &SignUp, hash: String, autoconfirm: Switch) -> NewUser {
    let id = UserId(app.randomness.uuid());
    let now = app.now();
    let confirmed_at = autoconfirm.is_on().then_some(now);
    let mut user_metadata = request.data.clone();
    let claims = request.contact.claims(id, confirmation(autoconfirm));
    user_metadata.merge(claims);
    let mut new = NewUser {
        id,
        audience: app.rules.audience.clone(),
        role: DEFAULT_ROLE.to_owned(),
        email: None,
        phone: None,
        password_hash: Some(hash),
        email_confirmed_at: None,
        phone_confirmed_at: None,
        app_metadata: provider_metadata(&[request.contact.provider()]),
        user_metadata,
        is_anonymous: false,
        is_super_admin: false,
        banned_until: None,
        created_at: now,
    };
    match &request.contact {
        Contact::Email(email) => {
            new.email = Some(email.clone());
            new.email_confirmed_at = confirmed_at;
        }
        Contact::Phone(phone) => {
            new.phone = Some(phone.clone());
            new.phone_confirmed_at = confirmed_at;
        }
    }
    new
}

fn confirmation(autoconfirm: Switch) -> Confirmation {
    match autoconfirm {
        Switch::On => Confirmation::Confirmed,
        Switch::Off => Confirmation::Pending,
    }
}

async fn complete(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    contact: &Contact,
    new: &NewUser,
) -> Result<SignedUp> {
    let confirmed = new.email_confirmed_at.or(new.phone_confirmed_at).is_some();
    let confirmation = if confirmed {
        Confirmation::Confirmed
    } else {
        Confirmation::Pending
    };
    let identity_id = app.randomness.uuid();
    let identity = NewIdentity::own(identity_id, new.id, contact, confirmation);
    store::identities::insert(connection, &identity, new.created_at).await?;
    // Read again: triggers of the database's users may have changed the row.
    let user = store::users::find(connection, new.id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let action = if confirmed {
        AuditAction::UserSignedUp
    } else {
        AuditAction::UserConfirmationRequested
    };
    let entry = AuditEntry::new(Actor::user(&user), action).with_provider(contact.provider());
    app.audit(connection, client, entry).await?;
    if !confirmed {
        return Ok(SignedUp::Pending(Box::new(user)));
    }
    let grant = open_session(app, connection, client, user, Method::Password).await?;
    Ok(SignedUp::In(Box::new(grant)))
}

/// What is answered where there is an account already. Where addresses are confirmed, it looks
/// like a new account's answer: whether somebody has an account is nobody's business.
fn taken(new: &NewUser, autoconfirm: Switch) -> Result<SignedUp> {
    if autoconfirm.is_on() {
        return Err(Error::UserAlreadyExists);
    }
    Ok(SignedUp::Pending(Box::new(User {
        id: new.id,
        audience: new.audience.clone(),
        role: new.role.clone(),
        email: new.email.as_ref().map(|email| email.as_str().to_owned()),
        phone: new.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        password_hash: None,
        times: UserTimes {
            created_at: Some(new.created_at),
            updated_at: Some(new.created_at),
            ..UserTimes::default()
        },
        new_email: None,
        new_phone: None,
        app_metadata: new.app_metadata.clone(),
        user_metadata: new.user_metadata.clone(),
        identities: Vec::new(),
        is_anonymous: false,
        is_sso: false,
    })))
}
