//! Deleting an account.

use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::ids::UserId;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::store;
use crate::store::sessions::Ending;

/// What is left of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing; rows that refer to it go or stay as their foreign keys say.
    Hard,
    /// The row, for what refers to it, without anything that tells who it was.
    Soft,
}

/// Deletes an account.
pub async fn delete_user(
    app: &App,
    client: &Client,
    actor: &Actor,
    id: UserId,
    deletion: Deletion,
) -> Result<()> {
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let entry = AuditEntry::new(actor.clone(), AuditAction::UserDeleted);
    app.audit(&mut transaction, client, entry.with_user(&user))
        .await?;
    match deletion {
        Deletion::Hard => store::users::delete(&mut transaction, id).await?,
        Deletion::Soft => {
            store::sessions::delete(&mut transaction, id, Ending::All).await?;
            store::users::delete_softly(&mut transaction, id, app.now()).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}
