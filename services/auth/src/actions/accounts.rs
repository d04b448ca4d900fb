//! Making accounts, whichever way somebody came.

use pg::sqlx::PgConnection;

use crate::app::App;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::user::{
    Confirmation, Contact, DEFAULT_ROLE, NewIdentity, NewUser, User, provider_metadata,
};
use crate::error::{Error, Result};
use crate::store;
use crate::store::StoreError;

/// Somebody who is to have an account.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// What the account is known by.
    pub contact: Contact,
    /// Whether that is known to be theirs.
    pub confirmation: Confirmation,
    /// What they say of themselves.
    pub data: Metadata,
    /// Their password's hash; none where they have no password.
    pub password_hash: Option<String>,
}

/// The account of a newcomer, not stored yet.
pub fn new_user(app: &App, newcomer: &Newcomer) -> NewUser {
    let id = UserId(app.randomness.uuid());
    let now = app.now();
    let confirmed = newcomer.confirmation == Confirmation::Confirmed;
    let confirmed_at = confirmed.then_some(now);
    let mut user_metadata = newcomer.data.clone();
    user_metadata.merge(newcomer.contact.claims(id, newcomer.confirmation));
    let mut new = NewUser {
        id,
        audience: app.rules.audience.clone(),
        role: DEFAULT_ROLE.to_owned(),
        email: None,
        phone: None,
        password_hash: newcomer.password_hash.clone(),
        email_confirmed_at: None,
        phone_confirmed_at: None,
        app_metadata: provider_metadata(&[newcomer.contact.provider()]),
        user_metadata,
        is_anonymous: false,
        is_super_admin: false,
        banned_until: None,
        created_at: now,
    };
    match &newcomer.contact {
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

/// Stores an account with the identity of its own address or number; none where somebody else was
/// faster with it.
pub async fn insert(
    app: &App,
    connection: &mut PgConnection,
    new: &NewUser,
    contact: &Contact,
    confirmation: Confirmation,
) -> Result<Option<User>> {
    match store::users::insert(connection, new).await {
        Err(StoreError::EmailTaken | StoreError::PhoneTaken) => return Ok(None),
        other => other?,
    }
    let identity_id = app.randomness.uuid();
    let identity = NewIdentity::own(identity_id, new.id, contact, confirmation);
    store::identities::insert(connection, &identity, new.created_at).await?;
    // Read again: triggers of the database's users may have changed the row.
    let user = store::users::find(connection, new.id).await?;
    Ok(Some(user.ok_or(Error::UserNotFound)?))
}
