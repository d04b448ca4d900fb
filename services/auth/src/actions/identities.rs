//! The ways a user signs in: giving one up.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::actions::caller::Caller;
use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::session::Client;
use crate::domain::user::{EMAIL_PROVIDER, PHONE_PROVIDER};
use crate::error::refusal::{IDENTITY_NOT_FOUND, MANUAL_LINKING_DISABLED, SINGLE_IDENTITY};
use crate::error::{Error, Result};
use crate::store;
use crate::store::users::UserChanges;

/// Unlinks an identity of the caller's; the last one stays.
pub async fn unlink(app: &App, client: &Client, caller: &Caller, id: Uuid) -> Result<()> {
    if !app.rules.manual_linking.is_on() {
        return Err(MANUAL_LINKING_DISABLED.into());
    }
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, caller.user.id).await?;
    let mut user = user.ok_or(Error::TokenUserNotFound)?;
    let index = user
        .identities
        .iter()
        .position(|identity| identity.id == id);
    let index = index.ok_or(IDENTITY_NOT_FOUND)?;
    if user.identities.len() < 2 {
        return Err(SINGLE_IDENTITY.into());
    }
    let identity = user.identities.remove(index);
    store::identities::delete(&mut transaction, identity.id).await?;
    match identity.provider.as_str() {
        PHONE_PROVIDER => store::users::forget_phone(&mut transaction, user.id).await?,
        EMAIL_PROVIDER => store::users::forget_password(&mut transaction, user.id).await?,
        _ => {}
    }
    let mut providers: Vec<String> = Vec::new();
    for identity in &user.identities {
        if !providers.contains(&identity.provider) {
            providers.push(identity.provider.clone());
        }
    }
    let first = providers
        .first()
        .cloned()
        .map(Value::from)
        .unwrap_or_default();
    user.app_metadata.set("provider", first);
    user.app_metadata.set("providers", json!(providers));
    let changes = UserChanges {
        app_metadata: Some(user.app_metadata.clone()),
        ..UserChanges::default()
    };
    store::users::update(&mut transaction, user.id, &changes, app.now()).await?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::IdentityUnlinked);
    let entry = entry.with_provider(&identity.provider);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(())
}
