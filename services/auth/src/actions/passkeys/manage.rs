//! What users and administrators do to passkeys.

use uuid::Uuid;

use super::{check_enabled, check_strength};
use crate::actions::caller::{Admin, Caller};
use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::ids::UserId;
use crate::domain::passkey::Passkey;
use crate::domain::session::Client;
use crate::error::refusal::PASSKEY_NOT_FOUND;
use crate::error::{Error, Result};
use crate::store;

/// The most bytes of what a user calls a passkey.
const MAX_NAME: usize = 120;

/// The passkeys of a user.
pub async fn list(app: &App, user_id: UserId) -> Result<Vec<Passkey>> {
    check_enabled(app)?;
    let mut connection = app.pool.acquire().await?;
    Ok(store::passkeys::list(&mut connection, user_id).await?)
}

/// Changes what the caller calls a passkey.
pub async fn rename(
    app: &App,
    client: &Client,
    caller: &Caller,
    id: Uuid,
    name: &str,
) -> Result<Passkey> {
    check_enabled(app)?;
    if name.is_empty() {
        return Err(Error::validation("friendly_name is required"));
    }
    if name.len() > MAX_NAME {
        return Err(Error::validation(
            "friendly_name must be 120 characters or less",
        ));
    }
    let mut transaction = app.begin().await?;
    let ids = (caller.user.id, id);
    let renamed = store::passkeys::rename(&mut transaction, ids, name, app.now()).await?;
    let passkey = renamed.ok_or(PASSKEY_NOT_FOUND)?;
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::PasskeyUpdated);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(passkey)
}

/// Gives a passkey of the caller's up.
pub async fn remove(app: &App, client: &Client, caller: &Caller, id: Uuid) -> Result<()> {
    check_enabled(app)?;
    check_strength(caller)?;
    let actor = Actor::user(&caller.user);
    delete(app, client, actor, (caller.user.id, id)).await
}

/// Takes a passkey from a user who lost it.
pub async fn remove_of(
    app: &App,
    client: &Client,
    admin: &Admin,
    ids: (UserId, Uuid),
) -> Result<()> {
    check_enabled(app)?;
    delete(app, client, admin.actor.clone(), ids).await
}

async fn delete(app: &App, client: &Client, actor: Actor, ids: (UserId, Uuid)) -> Result<()> {
    let mut transaction = app.begin().await?;
    if !store::passkeys::delete(&mut transaction, ids).await? {
        return Err(PASSKEY_NOT_FOUND.into());
    }
    let entry = AuditEntry::new(actor, AuditAction::PasskeyDeleted);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(())
}
