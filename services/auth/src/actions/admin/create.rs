//! Making an account for somebody else.

use common::Secret;

use crate::actions::admin::Ban;
use crate::actions::caller::Admin;
use crate::app::App;
use crate::breaches::check_password;
use crate::domain::audit::{AuditAction, AuditEntry};
use crate::domain::email::EmailAddress;
use crate::domain::ids::UserId;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::password_hash;
use crate::domain::phone::PhoneNumber;
use crate::domain::session::Client;
use crate::domain::user::{
    Confirmation, Contact, DEFAULT_ROLE, NewIdentity, NewUser, User, provider_metadata,
};
use crate::error::{Error, Result};
use crate::store;

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// Its id; a random one unless given.
    pub id: Option<UserId>,
    /// Who its tokens are for.
    pub audience: Option<String>,
    /// Its Postgres role.
    pub role: Option<String>,
    /// Its e-mail address.
    pub email: Option<(EmailAddress, Confirmation)>,
    /// Its phone number.
    pub phone: Option<(PhoneNumber, Confirmation)>,
    /// Its password.
    pub password: NewPassword,
    /// What the user says.
    pub user_metadata: Metadata,
    /// What the server says.
    pub app_metadata: Metadata,
    /// A ban from the start.
    pub ban: Option<Ban>,
}

/// The password of an account that somebody else makes.
#[derive(Debug)]
pub enum NewPassword {
    /// None yet: nobody can sign in by one.
    None,
    /// This one.
    Plain(Secret),
    /// The one of this hash.
    Hash(String),
}

/// Makes an account.
pub async fn create_user(
    app: &App,
    client: &Client,
    admin: &Admin,
    account: NewAccount,
) -> Result<User> {
    if account.email.is_none() && account.phone.is_none() {
        return Err(Error::validation(
            "Cannot create a user without either an email or phone",
        ));
    }
    let hash = hash(app, &account.password).await?;
    let new = new_user(app, &account, hash);
    check_size(&new.app_metadata, &new.user_metadata)?;
    let mut transaction = app.begin().await?;
    store::users::insert(&mut transaction, &new).await?;
    for (contact, confirmation) in contacts(&account) {
        let id = app.randomness.uuid();
        let identity = NewIdentity::own(id, new.id, &contact, confirmation);
        store::identities::insert(&mut transaction, &identity, new.created_at).await?;
    }
    let user = store::users::find(&mut transaction, new.id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let entry = AuditEntry::new(admin.actor.clone(), AuditAction::UserSignedUp);
    app.audit(&mut transaction, client, entry.with_user(&user))
        .await?;
    transaction.commit().await?;
    Ok(user)
}

async fn hash(app: &App, password: &NewPassword) -> Result<Option<String>> {
    match password {
        NewPassword::None => Ok(None),
        NewPassword::Plain(password) => {
            check_password(app, password).await?;
            Ok(Some(app.hasher.hash(password).await?))
        }
        NewPassword::Hash(hash) if password_hash::is_supported(hash) => Ok(Some(hash.clone())),
        NewPassword::Hash(_) => Err(Error::validation(
            "The password hash is not one of bcrypt or argon2 that can be checked",
        )),
    }
}

fn contacts(account: &NewAccount) -> Vec<(Contact, Confirmation)> {
    let email = account.email.clone();
    let phone = account.phone.clone();
    let email = email.map(|(email, confirmation)| (Contact::Email(email), confirmation));
    let phone = phone.map(|(phone, confirmation)| (Contact::Phone(phone), confirmation));
    email.into_iter().chain(phone).collect()
}

fn new_user(app: &App, account: &NewAccount, hash: Option<String>) -> NewUser {
    let id = account.id.unwrap_or(UserId(app.randomness.uuid()));
    let now = app.now();
    let contacts = contacts(account);
    let providers: Vec<&str> = contacts.iter().map(|(c, _)| c.provider()).collect();
    let mut app_metadata = provider_metadata(&providers);
    app_metadata.merge(account.app_metadata.clone());
    let mut user_metadata = account.user_metadata.clone();
    let confirmed_at = |confirmation: Confirmation| {
        let confirmed = confirmation == Confirmation::Confirmed;
        confirmed.then_some(now)
    };
    if let Some((_, Confirmation::Confirmed)) = &account.email {
        user_metadata.set("email_verified", true);
    }
    let role = account.role.clone();
    let audience = account.audience.clone();
    NewUser {
        id,
        audience: audience.unwrap_or_else(|| app.rules.audience.clone()),
        role: role.unwrap_or_else(|| DEFAULT_ROLE.to_owned()),
        email: account.email.as_ref().map(|(email, _)| email.clone()),
        phone: account.phone.as_ref().map(|(phone, _)| phone.clone()),
        password_hash: hash,
        email_confirmed_at: account.email.as_ref().and_then(|(_, c)| confirmed_at(*c)),
        phone_confirmed_at: account.phone.as_ref().and_then(|(_, c)| confirmed_at(*c)),
        app_metadata,
        user_metadata,
        is_anonymous: false,
        is_super_admin: false,
        banned_until: account.ban.and_then(|ban| ban.until(now)),
        created_at: now,
    }
}
