//! Making accounts, whichever way somebody came.

use pg::sqlx::{PgConnection, Postgres, Transaction};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::app::App;
use crate::domain::email::EmailAddress;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::phone::PhoneNumber;
use crate::domain::session::Client;
use crate::domain::user::{
    Confirmation, Contact, DEFAULT_ROLE, NewIdentity, NewUser, User, provider_metadata,
};
use crate::error::{Error, Result};
use crate::hooks::HookName;
use crate::store;
use crate::store::StoreError;
use crate::wire::UserResponse;

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

/// Whether an account was made just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newness {
    /// By this very request.
    New,
    /// Before it.
    Known,
}

impl Newness {
    /// The user, where they are new.
    pub fn newcomer(self, user: &User) -> Option<&User> {
        (self == Self::New).then_some(user)
    }
}

/// Stores an account with the identity of its own address or number; none where somebody else was
/// faster with it.
pub async fn insert(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (new, asked): (&NewUser, Asked),
    (contact, confirmation): (&Contact, Confirmation),
) -> Result<Option<User>> {
    if asked == Asked::NotYet {
        before_created(app, connection, client, new).await?;
    }
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

/// Whether the operator's own code was asked about an account before its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It was, and had nothing against it.
    Ahead,
    /// It has to be asked within.
    NotYet,
}

/// Asks a server about an account that nobody has yet, before the transaction that makes it: no
/// connection is held while it thinks. A function has to be asked within.
pub async fn ask_ahead(
    app: &App,
    client: &Client,
    new: &NewUser,
    contact: Option<&Contact>,
) -> Result<Asked> {
    if !app.has_server_hook(HookName::BeforeUserCreated) {
        return Ok(Asked::NotYet);
    }
    if let Some(contact) = contact {
        let mut connection = app.pool.acquire().await?;
        let known = store::users::find_by_contact(&mut connection, contact).await?;
        if known.is_some() {
            return Ok(Asked::NotYet);
        }
    }
    let payload = creation(app, client, new);
    let name = HookName::BeforeUserCreated;
    let _: Option<Value> = app.ask_hook(name, &payload).await?;
    Ok(Asked::Ahead)
}

/// Asks the operator's own code whether there is to be such an account.
pub async fn before_created(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    new: &NewUser,
) -> Result<()> {
    let name = HookName::BeforeUserCreated;
    if !app.has_hook(name) {
        return Ok(());
    }
    let payload = creation(app, client, new);
    let _: Option<Value> = app.ask_hook_within(connection, name, &payload).await?;
    Ok(())
}

/// What is told of an account that is to be made.
fn creation(app: &App, client: &Client, new: &NewUser) -> Value {
    let user = json!({
        "id": new.id, "aud": new.audience, "role": new.role,
        "email": new.email.as_ref().map_or("", EmailAddress::as_str),
        "phone": new.phone.as_ref().map_or("", PhoneNumber::as_str),
        "app_metadata": new.app_metadata, "user_metadata": new.user_metadata,
        "identities": [], "is_anonymous": new.is_anonymous,
    });
    payload(app, client, HookName::BeforeUserCreated, &user)
}

/// Commits, and then tells the operator's own code of the account that was made, if one was. The
/// account stays whatever that code answers.
pub async fn commit(
    app: &App,
    transaction: Transaction<'static, Postgres>,
    client: &Client,
    newcomer: Option<&User>,
) -> Result<()> {
    transaction.commit().await?;
    if let Some(user) = newcomer
        && app.has_hook(HookName::AfterUserCreated)
        && let Err(error) = after_created(app, client, user).await
    {
        tracing::warn!(%error, "the hook after_user_created failed");
    }
    Ok(())
}

async fn after_created(app: &App, client: &Client, user: &User) -> Result<()> {
    let name = HookName::AfterUserCreated;
    let user = serde_json::to_value(UserResponse::from(user.clone())).map_err(Error::internal)?;
    let payload = payload(app, client, name, &user);
    let _: Option<Value> = app.ask_hook(name, &payload).await?;
    Ok(())
}

fn payload(app: &App, client: &Client, name: HookName, user: &Value) -> Value {
    let metadata = json!({
        "uuid": app.randomness.uuid(),
        "time": app.now().format(&Rfc3339).unwrap_or_default(),
        "name": name.setting().to_lowercase().replace('_', "-"),
        "ip_address": client.ip,
    });
    json!({ "metadata": metadata, "user": user })
}
