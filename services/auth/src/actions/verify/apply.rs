//! What becomes true once a token was shown.

use pg::sqlx::PgConnection;

use crate::actions::contacts::set_contact;
use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::email::EmailAddress;
use crate::domain::one_time::{Purpose, StoredOneTime};
use crate::domain::phone::PhoneNumber;
use crate::domain::session::Client;
use crate::domain::user::{Confirmation, Contact, User};
use crate::error::refusal::OTP_EXPIRED;
use crate::error::{Error, Result};
use crate::store;
use crate::store::users::UserChanges;

/// Writes what follows from a token, and answers the user as changed; none where another address
/// has to confirm, too.
pub(super) async fn apply(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: User,
    stored: &StoredOneTime,
) -> Result<Option<User>> {
    let email = EmailAddress::parse(&stored.relates_to)
        .map(Contact::Email)
        .ok();
    let phone = PhoneNumber::parse(&stored.relates_to)
        .map(Contact::Phone)
        .ok();
    let contact = email.or(phone).ok_or(OTP_EXPIRED)?;
    match stored.purpose {
        Purpose::Confirmation | Purpose::Recovery => {
            confirm(app, connection, client, (user, contact))
                .await
                .map(Some)
        }
        Purpose::EmailChangeCurrent | Purpose::EmailChangeNew => {
            change_email(app, connection, client, user).await
        }
        Purpose::PhoneChange => {
            if user.new_phone.as_deref() != Some(contact.as_str()) {
                return Err(OTP_EXPIRED.into());
            }
            store::users::update_new_phone(connection, user.id, "").await?;
            change(app, connection, client, (user, contact))
                .await
                .map(Some)
        }
        Purpose::Reauthentication => Err(OTP_EXPIRED.into()),
    }
}

/// The user has shown the address or number they have.
async fn confirm(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (user, contact): (User, Contact),
) -> Result<User> {
    let current = match &contact {
        Contact::Email(_) => user.email.as_deref(),
        Contact::Phone(_) => user.phone.as_deref(),
    };
    if current != Some(contact.as_str()) {
        return Err(OTP_EXPIRED.into());
    }
    if user.is_confirmed(&contact) {
        return Ok(user);
    }
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserSignedUp);
    let entry = entry.with_provider(contact.provider());
    app.audit(connection, client, entry).await?;
    write(app, connection, (user, contact)).await
}

async fn change_email(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: User,
) -> Result<Option<User>> {
    let new = user.new_email.as_deref().map(EmailAddress::parse);
    let Some(Ok(new)) = new else {
        return Err(OTP_EXPIRED.into());
    };
    let purposes = [Purpose::EmailChangeCurrent, Purpose::EmailChangeNew];
    for other in purposes {
        let waits = store::one_time_tokens::find(connection, user.id, other).await?;
        if waits.is_some() && app.rules.mail.both_addresses {
            store::users::update_new_email(connection, user.id, new.as_str(), 1).await?;
            return Ok(None);
        }
    }
    store::users::update_new_email(connection, user.id, "", 0).await?;
    let user = change(app, connection, client, (user, Contact::Email(new))).await?;
    Ok(Some(user))
}

async fn change(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (user, contact): (User, Contact),
) -> Result<User> {
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserModified);
    app.audit(connection, client, entry).await?;
    write(app, connection, (user, contact)).await
}

async fn write(
    app: &App,
    connection: &mut PgConnection,
    (mut user, contact): (User, Contact),
) -> Result<User> {
    let mut changes = UserChanges::default();
    let confirmed = Confirmation::Confirmed;
    set_contact(app, connection, &mut user, contact, confirmed, &mut changes).await?;
    store::users::update(connection, user.id, &changes, app.now()).await?;
    let user = store::users::find(connection, user.id).await?;
    user.ok_or(Error::UserNotFound)
}
