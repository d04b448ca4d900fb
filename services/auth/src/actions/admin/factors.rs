//! What administrators do to users' second factors.

use uuid::Uuid;

use crate::actions::caller::Admin;
use crate::app::App;
use crate::domain::audit::{AuditAction, AuditEntry};
use crate::domain::factor::Factor;
use crate::domain::ids::UserId;
use crate::domain::session::Client;
use crate::domain::user::User;
use crate::error::refusal::FACTOR_NOT_FOUND;
use crate::error::{Error, Result};
use crate::store;

/// Takes a factor from a user, and answers what it was.
pub async fn delete_factor(
    app: &App,
    client: &Client,
    admin: &Admin,
    (user_id, id): (UserId, Uuid),
) -> Result<Factor> {
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, user_id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let factor = own(&user, id)?;
    store::factors::delete(&mut transaction, id).await?;
    let entry = AuditEntry::new(admin.actor.clone(), AuditAction::FactorDeleted);
    app.audit(&mut transaction, client, entry.with_user(&user))
        .await?;
    transaction.commit().await?;
    Ok(factor)
}

/// Changes what a factor is called.
pub async fn rename_factor(
    app: &App,
    client: &Client,
    admin: &Admin,
    (user_id, id): (UserId, Uuid),
    name: &str,
) -> Result<Factor> {
    if name.len() > 255 {
        return Err(Error::validation("A factor's name has at most 255 bytes"));
    }
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, user_id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let mut factor = own(&user, id)?;
    let now = app.now();
    store::factors::rename(&mut transaction, id, name, now).await?;
    factor.friendly_name = Some(name.to_owned());
    factor.updated_at = now;
    let entry = AuditEntry::new(admin.actor.clone(), AuditAction::FactorUpdated);
    app.audit(&mut transaction, client, entry.with_user(&user))
        .await?;
    transaction.commit().await?;
    Ok(factor)
}

fn own(user: &User, id: Uuid) -> Result<Factor> {
    let factor = user.factors.iter().find(|factor| factor.id == id).cloned();
    factor.ok_or_else(|| FACTOR_NOT_FOUND.into())
}
