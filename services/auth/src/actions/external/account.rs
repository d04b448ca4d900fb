//! Whose account it is that a provider speaks of. An address links only where the provider knows
//! that it is theirs.

use pg::sqlx::PgConnection;

use crate::actions::accounts::{Asked, Newness, ask_ahead, before_created};
use crate::actions::contacts::add_provider;
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::ids::UserId;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::session::Client;
use crate::domain::user::{
    Contact, DEFAULT_ROLE, EMAIL_PROVIDER, NewIdentity, NewUser, User, provider_metadata,
};
use crate::error::refusal::{IDENTITY_EXISTS, PROVIDER_EMAIL_MISSING, PROVIDER_EMAIL_UNVERIFIED};
use crate::error::{Error, Result};
use crate::external::ExternalUser;
use crate::hooks::HookName;
use crate::store;
use crate::store::StoreError;
use crate::store::users::UserChanges;

/// Who it is.
pub(super) struct Resolved {
    pub(super) user: User,
    /// Whether the account was made just now.
    pub(super) newness: Newness,
}

/// The account that a stranger would get, and whether the operator's own code was asked about it.
pub(super) type Prospect = (NewUser, Asked);

/// What account a stranger would get. Where it is one, a server is asked about it here, before the
/// transaction.
pub(super) async fn foresee(
    app: &App,
    client: &Client,
    (provider, target): (&str, Option<UserId>),
    external: &ExternalUser,
) -> Result<Prospect> {
    let new = new_user(app, provider, external);
    let may_join = target.is_none() && app.rules.sign_up.is_on();
    if !may_join || !app.has_server_hook(HookName::BeforeUserCreated) {
        return Ok((new, Asked::NotYet));
    }
    let mut connection = app.pool.acquire().await?;
    let subject = external.subject.as_str();
    let owner = store::identities::find_owner(&mut connection, provider, subject).await?;
    drop(connection);
    if owner.is_some() {
        return Ok((new, Asked::NotYet));
    }
    check_address(app, provider, external)?;
    let contact = new.email.clone().map(Contact::Email);
    let asked = ask_ahead(app, client, &new, contact.as_ref()).await?;
    Ok((new, asked))
}

/// Finds, links or makes the account.
pub(super) async fn resolve(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (provider, target): (&str, Option<UserId>),
    external: ExternalUser,
    prospect: Prospect,
) -> Result<Resolved> {
    let subject = external.subject.as_str();
    let owner = store::identities::find_owner(connection, provider, subject).await?;
    let (user, newness) = match (owner, target) {
        (Some(owner), Some(target)) if owner != target => return Err(IDENTITY_EXISTS.into()),
        (Some(owner), _) => {
            let user = known(app, connection, provider, (owner, &external)).await?;
            (user, Newness::Known)
        }
        (None, Some(target)) => {
            let user = store::users::find_for_update(connection, target).await?;
            let user = user.ok_or(Error::UserNotFound)?;
            let user = link(app, connection, client, (user, provider, &external)).await?;
            (user, Newness::Known)
        }
        (None, None) => {
            let who = (provider, &external);
            stranger(app, connection, client, who, prospect).await?
        }
    };
    Ok(Resolved { user, newness })
}

/// Somebody who was here before.
async fn known(
    app: &App,
    connection: &mut PgConnection,
    provider: &str,
    (owner, external): (UserId, &ExternalUser),
) -> Result<User> {
    let user = store::users::find_for_update(connection, owner).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let is_theirs = |identity: &&crate::domain::user::Identity| {
        identity.provider == provider && identity.provider_id == external.subject
    };
    if let Some(identity) = user.identities.iter().find(is_theirs) {
        let data = claims(external);
        store::identities::update_sign_in(connection, identity.id, &data, app.now()).await?;
    }
    find(connection, owner).await
}

/// Somebody without such an identity: the owner of an account with the same address, where the
/// provider knows that the address is theirs, or a new user.
async fn stranger(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (provider, external): (&str, &ExternalUser),
    (new, asked): Prospect,
) -> Result<(User, Newness)> {
    check_address(app, provider, external)?;
    let verified = new.email.clone().map(Contact::Email);
    if let Some(contact) = &verified
        && let Some(user) = store::users::find_by_contact(connection, contact).await?
    {
        let user = claimed(app, connection, user, contact).await?;
        let user = link(app, connection, client, (user, provider, external)).await?;
        return Ok((user, Newness::Known));
    }
    if !app.rules.sign_up.is_on() {
        return Err(Error::SignUpDisabled);
    }
    app.limit(Limited::SignUp, client)?;
    check_size(&new.app_metadata, &new.user_metadata)?;
    if asked == Asked::NotYet {
        before_created(app, connection, client, &new).await?;
    }
    match store::users::insert(connection, &new).await {
        Err(StoreError::EmailTaken) => return Err(Error::Busy),
        other => other?,
    }
    insert_identity(app, connection, (new.id, provider, external)).await?;
    let user = find(connection, new.id).await?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserSignedUp);
    app.audit(connection, client, entry.with_provider(provider))
        .await?;
    Ok((user, Newness::New))
}

/// A new account needs an address that the provider vouches for, unless it may do without.
fn check_address(app: &App, provider: &str, external: &ExternalUser) -> Result<()> {
    if app.provider(provider)?.config.email_optional.is_on() {
        return Ok(());
    }
    match (&external.email, external.email_verified) {
        (None, _) => Err(PROVIDER_EMAIL_MISSING.into()),
        (Some(_), false) => Err(PROVIDER_EMAIL_UNVERIFIED.into()),
        (Some(_), true) => Ok(()),
    }
}

/// An account whose address its owner shows for the first time: whoever made it was not known to
/// be them, and keeps neither a password nor a session of it.
async fn claimed(
    app: &App,
    connection: &mut PgConnection,
    user: User,
    contact: &Contact,
) -> Result<User> {
    if user.is_confirmed(contact) {
        return Ok(user);
    }
    store::users::forget_password(connection, user.id).await?;
    store::sessions::delete(connection, user.id, store::sessions::Ending::All).await?;
    store::one_time_tokens::delete_all(connection, user.id).await?;
    if let Some(identity) = user.own_identity(EMAIL_PROVIDER) {
        store::identities::delete(connection, identity.id).await?;
    }
    let changes = UserChanges {
        email_confirmed_at: Some(app.now()),
        ..UserChanges::default()
    };
    store::users::update(connection, user.id, &changes, app.now()).await?;
    find(connection, user.id).await
}

/// Gives a user another way to sign in.
async fn link(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (mut user, provider, external): (User, &str, &ExternalUser),
) -> Result<User> {
    insert_identity(app, connection, (user.id, provider, external)).await?;
    add_provider(&mut user, provider);
    let mut changes = UserChanges {
        app_metadata: Some(user.app_metadata.clone()),
        is_anonymous: user.is_anonymous.then_some(false),
        ..UserChanges::default()
    };
    let verified = external.email.clone().filter(|_| external.email_verified);
    if user.email.is_none()
        && let Some(email) = verified
    {
        let contact = Contact::Email(email.clone());
        if store::users::find_by_contact(connection, &contact)
            .await?
            .is_none()
        {
            changes.email = Some(email);
            changes.email_confirmed_at = Some(app.now());
        }
    }
    store::users::update(connection, user.id, &changes, app.now()).await?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserModified);
    app.audit(connection, client, entry.with_provider(provider))
        .await?;
    find(connection, user.id).await
}

async fn insert_identity(
    app: &App,
    connection: &mut PgConnection,
    (user_id, provider, external): (UserId, &str, &ExternalUser),
) -> Result<()> {
    let identity = NewIdentity {
        id: app.randomness.uuid(),
        provider_id: external.subject.clone(),
        user_id,
        data: claims(external),
        provider: provider.to_owned(),
    };
    Ok(store::identities::insert(connection, &identity, app.now()).await?)
}

fn claims(external: &ExternalUser) -> Metadata {
    let mut claims = external.claims.clone();
    if let Some(email) = &external.email {
        claims.set("email", email.as_str());
    }
    claims.set("email_verified", external.email_verified);
    claims.set("phone_verified", false);
    claims.set("provider_id", external.subject.as_str());
    claims.set("sub", external.subject.as_str());
    claims
}

fn new_user(app: &App, provider: &str, external: &ExternalUser) -> NewUser {
    let now = app.now();
    let email = external.email.clone().filter(|_| external.email_verified);
    NewUser {
        id: UserId(app.randomness.uuid()),
        audience: app.rules.audience.clone(),
        role: DEFAULT_ROLE.to_owned(),
        email_confirmed_at: email.as_ref().map(|_| now),
        email,
        phone: None,
        password_hash: None,
        phone_confirmed_at: None,
        app_metadata: provider_metadata(&[provider]),
        user_metadata: claims(external),
        is_anonymous: false,
        is_super_admin: false,
        banned_until: None,
        created_at: now,
    }
}

async fn find(connection: &mut PgConnection, id: UserId) -> Result<User> {
    let user = store::users::find(connection, id).await?;
    user.ok_or(Error::UserNotFound)
}
