//! The platform's first administrator.

use std::sync::Arc;

use common::{BoxError, Secret, SystemClock, SystemRandomness};

use crate::app::App;
use crate::config::Config;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::email::EmailAddress;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::domain::user::{
    Confirmation, Contact, DEFAULT_ROLE, EMAIL_PROVIDER, NewIdentity, NewUser, provider_metadata,
};
use crate::service;
use crate::store;
use crate::store::StoreError;

/// Whether the administrator had to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnsuredAdmin {
    /// The account is new.
    Created(UserId),
    /// There is an account with this address; it was left as it is.
    AlreadyThere(UserId),
}

/// Makes a confirmed superuser with this address and password, unless there is an account with the
/// address: an account's password is never reset. Brings the schema up to date first.
pub async fn ensure_admin(
    config: &Config,
    email: &str,
    password: &Secret,
) -> Result<EnsuredAdmin, BoxError> {
    let email = EmailAddress::parse(email)?;
    config.rules.passwords.check(password.expose())?;
    let pool = service::connect(config).await?;
    let clock = Arc::new(SystemClock);
    let app = Box::new(App::new(config, pool, clock, Arc::new(SystemRandomness))?);
    let ensured = ensure(&app, &Contact::Email(email), password).await?;
    app.pool.close().await;
    Ok(ensured)
}

async fn ensure(app: &App, contact: &Contact, password: &Secret) -> Result<EnsuredAdmin, BoxError> {
    let mut transaction = app.pool.begin().await?;
    if let Some(user) = store::users::find_by_contact(&mut transaction, contact).await? {
        return Ok(EnsuredAdmin::AlreadyThere(user.id));
    }
    let hash = app.hasher.hash(password).await?;
    let new = new_admin(app, contact, hash);
    match store::users::insert(&mut transaction, &new).await {
        // Another process starts at the same time.
        Err(StoreError::EmailTaken) => {
            transaction.rollback().await?;
            let mut connection = app.pool.acquire().await?;
            let user = store::users::find_by_contact(&mut connection, contact).await?;
            let user = user.ok_or("the administrator's account vanished")?;
            return Ok(EnsuredAdmin::AlreadyThere(user.id));
        }
        other => other?,
    }
    let id = app.randomness.uuid();
    let identity = NewIdentity::own(id, new.id, contact, Confirmation::Confirmed);
    store::identities::insert(&mut transaction, &identity, new.created_at).await?;
    let client = Client {
        ip: std::net::IpAddr::from([127, 0, 0, 1]),
        user_agent: None,
    };
    let actor = Actor::service("supabase_admin");
    let entry = AuditEntry::new(actor, AuditAction::UserSignedUp).with_provider(EMAIL_PROVIDER);
    app.audit(&mut transaction, &client, entry).await?;
    transaction.commit().await?;
    Ok(EnsuredAdmin::Created(new.id))
}

fn new_admin(app: &App, contact: &Contact, hash: String) -> NewUser {
    let id = UserId(app.randomness.uuid());
    let now = app.now();
    let mut app_metadata = provider_metadata(&[EMAIL_PROVIDER]);
    app_metadata.set("is_superuser", true);
    let mut user_metadata = Metadata::default();
    user_metadata.merge(contact.claims(id, Confirmation::Confirmed));
    let email = match contact {
        Contact::Email(email) => Some(email.clone()),
        Contact::Phone(_) => None,
    };
    NewUser {
        id,
        audience: app.rules.audience.clone(),
        role: DEFAULT_ROLE.to_owned(),
        email,
        phone: None,
        password_hash: Some(hash),
        email_confirmed_at: Some(now),
        phone_confirmed_at: None,
        app_metadata,
        user_metadata,
        is_anonymous: false,
        is_super_admin: true,
        banned_until: None,
        created_at: now,
    }
}
