//! Changing somebody else's account.

use std::time::Duration;

use common::Secret;
use pg::sqlx::PgConnection;
use time::OffsetDateTime;

use crate::actions::caller::Admin;
use crate::actions::contacts::set_contact;
use crate::app::App;
use crate::breaches::check_password;
use crate::domain::audit::{AuditAction, AuditEntry};
use crate::domain::ids::UserId;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::session::Client;
use crate::domain::user::{Confirmation, Contact, User};
use crate::error::{Error, Result};
use crate::store;
use crate::store::sessions::Ending;
use crate::store::users::{BanChange, UserChanges};

/// A ban, or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ban {
    /// No ban, or no longer.
    Lifted,
    /// For this long from now.
    For(Duration),
}

impl Ban {
    /// Until when it lasts.
    pub fn until(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::Lifted => None,
            Self::For(duration) => now.checked_add(time::Duration::try_from(duration).ok()?),
        }
    }
}

/// What an administrator wants changed.
#[derive(Debug, Default)]
pub struct AccountUpdate {
    /// A new Postgres role.
    pub role: Option<String>,
    /// New addresses and numbers.
    pub contacts: Vec<(Contact, Confirmation)>,
    /// What the address, new or not, counts as from now on; none leaves it as it is.
    pub email: Option<Confirmation>,
    /// The same for the number.
    pub phone: Option<Confirmation>,
    /// A new password.
    pub password: Option<Secret>,
    /// Changes to `user_metadata`.
    pub user_metadata: Option<Metadata>,
    /// Changes to `app_metadata`.
    pub app_metadata: Option<Metadata>,
    /// A ban, or its end.
    pub ban: Option<Ban>,
}

/// Changes an account and answers the user as changed. A new password signs the user out.
pub async fn update_account(
    app: &App,
    client: &Client,
    admin: &Admin,
    id: UserId,
    update: AccountUpdate,
) -> Result<User> {
    let hash = match &update.password {
        None => None,
        Some(password) => {
            check_password(app, password).await?;
            Some(app.hasher.hash(password).await?)
        }
    };
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let changes = changes(app, &mut transaction, user, update, hash).await?;
    store::users::update(&mut transaction, id, &changes, app.now()).await?;
    if changes.password_hash.is_some() {
        store::sessions::delete(&mut transaction, id, Ending::All).await?;
    }
    let user = store::users::find(&mut transaction, id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let entry = AuditEntry::new(admin.actor.clone(), AuditAction::UserModified);
    app.audit(&mut transaction, client, entry.with_user(&user))
        .await?;
    transaction.commit().await?;
    Ok(user)
}

fn ban_change(ban: Ban, now: OffsetDateTime) -> BanChange {
    ban.until(now).map_or(BanChange::Lift, BanChange::Until)
}

async fn changes(
    app: &App,
    connection: &mut PgConnection,
    mut user: User,
    update: AccountUpdate,
    password_hash: Option<String>,
) -> Result<UserChanges> {
    let now = app.now();
    let mut changes = UserChanges {
        role: update.role,
        password_hash,
        ban: update.ban.map(|ban| ban_change(ban, now)),
        ..UserChanges::default()
    };
    if let Some(metadata) = update.user_metadata {
        user.user_metadata.merge(metadata);
        changes.user_metadata = Some(user.user_metadata.clone());
    }
    if let Some(metadata) = update.app_metadata {
        user.app_metadata.merge(metadata);
        changes.app_metadata = Some(user.app_metadata.clone());
    }
    if update.email == Some(Confirmation::Confirmed) {
        changes.email_confirmed_at = Some(now);
        user.user_metadata.set("email_verified", true);
        changes.user_metadata = Some(user.user_metadata.clone());
    }
    if update.phone == Some(Confirmation::Confirmed) {
        changes.phone_confirmed_at = Some(now);
    }
    for (contact, confirmation) in update.contacts {
        set_contact(
            app,
            connection,
            &mut user,
            contact,
            confirmation,
            &mut changes,
        )
        .await?;
    }
    check_size(&user.app_metadata, &user.user_metadata)?;
    Ok(changes)
}
