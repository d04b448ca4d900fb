//! A user's changes to their own account.

use std::time::Duration;

use common::Secret;
use pg::sqlx::PgConnection;

use crate::actions::caller::Caller;
use crate::actions::change_contact::{email_change_letters, phone_change_text};
use crate::actions::contacts::set_contact;
use crate::actions::messages::{Leading, Outgoing, OutgoingText, post, post_text};
use crate::actions::reauthenticate::use_nonce;
use crate::app::{App, Limited};
use crate::breaches::check_password;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::password_hash::Verdict;
use crate::domain::session::{Aal, Client};
use crate::domain::user::{Confirmation, Contact, User};
use crate::error::refusal::UPDATE_NEEDS_AAL2;
use crate::error::{Error, Result};
use crate::sms::Channel;
use crate::store;
use crate::store::sessions::Ending;
use crate::store::users::UserChanges;

/// How young a session must be for a new password, where that is asked for.
const FRESH_SESSION: Duration = Duration::from_hours(24);

/// What a user wants changed.
#[derive(Debug)]
pub struct UserUpdate {
    /// A new e-mail address or phone number, or both.
    pub contacts: Vec<Contact>,
    /// A new password.
    pub password: Option<Secret>,
    /// The code that was sent to show that one is still the same.
    pub nonce: Option<Secret>,
    /// Changes to `user_metadata`.
    pub data: Option<Metadata>,
    /// Where the links to confirm a new address lead.
    pub leading: Leading,
    /// How a code to confirm a new number travels.
    pub channel: Channel,
}

impl UserUpdate {
    /// Nothing is changed; links lead to the site.
    pub fn nothing(app: &App) -> Self {
        Self {
            contacts: Vec::new(),
            password: None,
            nonce: None,
            data: None,
            leading: Leading::to_site(app),
            channel: Channel::Sms,
        }
    }
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
        nonce,
        data,
        leading,
        channel,
    } = update;
    contacts.retain(|contact| current(user, contact) != Some(contact.as_str()));
    check_allowed(user, &contacts, password.is_some())?;
    if password.is_some() || !contacts.is_empty() {
        check_level(caller)?;
    }
    let hash = match &password {
        None => None,
        Some(password) => {
            check_fresh(app, caller, nonce.as_ref())?;
            Some(new_hash(app, user, password).await?)
        }
    };
    let mut transaction = app.begin().await?;
    let found = store::users::find_for_update(&mut transaction, user.id).await?;
    let mut user = found.ok_or(Error::TokenUserNotFound)?;
    if let Some(nonce) = nonce.filter(|_| hash.is_some() && needs_nonce(app, caller)) {
        use_nonce(app, &mut transaction, &user, &nonce).await?;
    }
    let mut changes = UserChanges {
        password_hash: hash,
        ..UserChanges::default()
    };
    if let Some(data) = data {
        user.user_metadata.merge(data);
        check_size(&user.app_metadata, &user.user_metadata)?;
        changes.user_metadata = Some(user.user_metadata.clone());
    }
    let (at_once, confirmed_first) = parted(app, contacts)?;
    for contact in at_once {
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
    let how = (leading, channel);
    let (letters, texts) =
        write_to_new(app, &mut transaction, client, (&user, confirmed_first), how).await?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserModified);
    app.audit(&mut transaction, client, entry).await?;
    let user = store::users::find(&mut transaction, user.id).await?;
    transaction.commit().await?;
    post(app, letters).await?;
    for text in texts {
        post_text(app, text).await?;
    }
    user.ok_or(Error::TokenUserNotFound)
}

/// The messages that new addresses and numbers are confirmed with.
async fn write_to_new(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (user, contacts): (&User, Vec<Contact>),
    (leading, channel): (Leading, Channel),
) -> Result<(Vec<Outgoing>, Vec<OutgoingText>)> {
    let (mut letters, mut texts) = (Vec::new(), Vec::new());
    for contact in contacts {
        match contact {
            Contact::Email(new) => {
                let what = (new, leading.clone());
                letters = email_change_letters(app, connection, client, user, what).await?;
            }
            Contact::Phone(new) => {
                let what = (new, channel);
                texts.push(phone_change_text(app, connection, client, user, what).await?);
            }
        }
    }
    Ok((letters, texts))
}

/// What opens the account is changed only by who showed every factor of it.
fn check_level(caller: &Caller) -> Result<()> {
    let aal = caller.session.as_ref().map(|session| session.aal);
    if caller.user.has_second_factor() && aal.is_none_or(|aal| aal < Aal::Aal2) {
        return Err(UPDATE_NEEDS_AAL2.into());
    }
    Ok(())
}

/// Those that count at once, and those that have to be confirmed first.
fn parted(app: &App, contacts: Vec<Contact>) -> Result<(Vec<Contact>, Vec<Contact>)> {
    let (mut at_once, mut confirmed_first) = (Vec::new(), Vec::new());
    for contact in contacts {
        if app.contact_rules(&contact)?.autoconfirm.is_on() {
            at_once.push(contact);
        } else {
            confirmed_first.push(contact);
        }
    }
    Ok((at_once, confirmed_first))
}

fn current<'a>(user: &'a User, contact: &Contact) -> Option<&'a str> {
    match contact {
        Contact::Email(_) => user.email.as_deref(),
        Contact::Phone(_) => user.phone.as_deref(),
    }
}

fn check_allowed(user: &User, contacts: &[Contact], new_password: bool) -> Result<()> {
    if user.is_sso && (new_password || !contacts.is_empty()) {
        return Err(Error::UserSsoManaged);
    }
    if user.is_anonymous && new_password && contacts.is_empty() {
        let message = "Updating password of an anonymous user without an email or phone \
                       is not allowed";
        return Err(Error::Unprocessable(message.into()));
    }
    Ok(())
}

/// Whether a new password needs a code: the session is not fresh.
fn needs_nonce(app: &App, caller: &Caller) -> bool {
    let oldest = app.now() - FRESH_SESSION;
    let began = caller.session.as_ref().map(|session| session.created_at);
    let is_fresh = began.is_some_and(|began| began >= oldest);
    app.rules.fresh_session_for_password.is_on() && !is_fresh
}

fn check_fresh(app: &App, caller: &Caller, nonce: Option<&Secret>) -> Result<()> {
    if needs_nonce(app, caller) && nonce.is_none() {
        return Err(Error::ReauthenticationNeeded);
    }
    Ok(())
}

async fn new_hash(app: &App, user: &User, password: &Secret) -> Result<String> {
    check_password(app, password).await?;
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
