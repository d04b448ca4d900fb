//! A user's changes to their own account.

use std::time::Duration;

use common::Secret;
use pg::sqlx::PgConnection;

use crate::actions::caller::Caller;
use crate::actions::contacts::set_contact;
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::password_hash::Verdict;
use crate::domain::session::Client;
use crate::domain::user::{Confirmation, Contact, User};
use crate::error::{Error, Result};
use crate::store;
use crate::store::sessions::Ending;
use crate::store::users::UserChanges;

/// How young a session must be for a new password, where that is asked for.
const FRESH_SESSION: Duration = Duration::from_hours(24);

/// What a user wants changed.
#[derive(Debug, Default)]
pub struct UserUpdate {
    /// A new e-mail address or phone number, or both.
    pub contacts: Vec<Contact>,
    /// A new password.
    pub password: Option<Secret>,
    /// Changes to `user_metadata`.
    pub data: Option<Metadata>,
}

/// Changes the caller's account and answers the user as changed. A new password signs all other
/// sessions out.
pub async fn update_user(
    app: &App,
    client: &Client,
    caller: &Caller,
    update: UserUpdate,
) -> Result<User> {
    app.limit(Limited::UserUpdate, client)?;
    let user = &caller.user;
    let UserUpdate {
        mut contacts,
        password,
        data,
    } = update;
    contacts.retain(|contact| current(user, contact) != Some(contact.as_str()));
    check_allowed(app, user, &contacts, password.is_some())?;
    let hash = match &password {
        None => None,
        Some(password) => {
            check_fresh(app, caller)?;
            Some(new_hash(app, user, password).await?)
        }
    };
    let mut transaction = app.begin().await?;
    let found = store::users::find_for_update(&mut transaction, user.id).await?;
    let mut user = found.ok_or(Error::TokenUserNotFound)?;
    let mut changes = UserChanges {
        password_hash: hash,
        ..UserChanges::default()
    };
    if let Some(data) = data {
        user.user_metadata.merge(data);
        check_size(&user.app_metadata, &user.user_metadata)?;
        changes.user_metadata = Some(user.user_metadata.clone());
    }
    for contact in contacts {
        let confirmed = Confirmation::Confirmed;
        set_contact(
            app,
            &mut transaction,
            &mut user,
            contact,
            confirmed,
            &mut changes,
        )
        .await?;
    }
    store::users::update(&mut transaction, user.id, &changes, app.now()).await?;
    if changes.password_hash.is_some() {
        after_password_change(app, &mut transaction, client, caller).await?;
    }
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserModified);
    app.audit(&mut transaction, client, entry).await?;
    let user = store::users::find(&mut transaction, user.id).await?;
    transaction.commit().await?;
    user.ok_or(Error::TokenUserNotFound)
}

fn current<'a>(user: &'a User, contact: &Contact) -> Option<&'a str> {
    match contact {
        Contact::Email(_) => user.email.as_deref(),
        Contact::Phone(_) => user.phone.as_deref(),
    }
}

fn check_allowed(app: &App, user: &User, contacts: &[Contact], new_password: bool) -> Result<()> {
    if user.is_sso && (new_password || !contacts.is_empty()) {
        return Err(Error::UserSsoManaged);
    }
    if user.is_anonymous && new_password && contacts.is_empty() {
        let message = "Updating password of an anonymous user without an email or phone \
                       is not allowed";
        return Err(Error::Unprocessable(message.into()));
    }
    for contact in contacts {
        if !app.contact_rules(contact)?.autoconfirm.is_on() {
            let message = "The address cannot be changed: no message can be sent to confirm it";
            return Err(Error::Unprocessable(message.into()));
        }
    }
    Ok(())
}

fn check_fresh(app: &App, caller: &Caller) -> Result<()> {
    let oldest = app.now() - FRESH_SESSION;
    let began = caller.session.as_ref().map(|session| session.created_at);
    let is_fresh = began.is_some_and(|began| began >= oldest);
    if app.rules.fresh_session_for_password.is_on() && !is_fresh {
        return Err(Error::ReauthenticationNeeded);
    }
    Ok(())
}

async fn new_hash(app: &App, user: &User, password: &Secret) -> Result<String> {
    app.rules.passwords.check(password.expose())?;
    if let Some(stored) = &user.password_hash {
        let verdict = app.hasher.verify(password, Some(stored)).await?;
        if verdict != Verdict::Wrong {
            return Err(Error::SamePassword);
        }
    }
    Ok(app.hasher.hash(password).await?)
}

async fn after_password_change(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    caller: &Caller,
) -> Result<()> {
    let ending = match &caller.session {
        Some(session) => Ending::AllBut(session.id),
        None => Ending::All,
    };
    store::sessions::delete(connection, caller.user.id, ending).await?;
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::UserUpdatedPassword);
    app.audit(connection, client, entry).await
}
