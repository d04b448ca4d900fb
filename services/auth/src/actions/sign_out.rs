//! Signing out.

use crate::actions::caller::Caller;
use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::refresh_token::RefreshToken;
use crate::domain::session::Client;
use crate::error::Result;
use crate::store;
use crate::store::sessions::Ending;

/// Which sessions end, seen from the one that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of the user's.
    Global,
    /// This one.
    Local,
    /// All others.
    Others,
}

/// Ends sessions of the caller. A token that names no session ends them all.
pub async fn sign_out(app: &App, client: &Client, caller: &Caller, scope: Scope) -> Result<()> {
    let own = caller.session.as_ref().map(|session| session.id);
    let ending = match (scope, own) {
        (Scope::Local, Some(id)) => Ending::Only(id),
        (Scope::Others, Some(id)) => Ending::AllBut(id),
        (Scope::Global, _) | (Scope::Local | Scope::Others, None) => Ending::All,
    };
    let mut transaction = app.begin().await?;
    store::sessions::delete(&mut transaction, caller.user.id, ending).await?;
    let entry = AuditEntry::new(Actor::user(&caller.user), AuditAction::Logout);
    app.audit(&mut transaction, client, entry).await?;
    transaction.commit().await?;
    Ok(())
}

/// Ends the session of a refresh token; an unknown one is no error: it is signed out already.
pub async fn sign_out_token(app: &App, client: &Client, token: &RefreshToken) -> Result<()> {
    let mut transaction = app.begin().await?;
    let id = store::refresh_tokens::find_session(&mut transaction, &token.digest()).await?;
    let Some(id) = id else {
        return Ok(());
    };
    let Some(session) = store::sessions::find(&mut transaction, id).await? else {
        return Ok(());
    };
    store::sessions::delete(&mut transaction, session.user_id, Ending::Only(id)).await?;
    if let Some(user) = store::users::find(&mut transaction, session.user_id).await? {
        let entry = AuditEntry::new(Actor::user(&user), AuditAction::Logout);
        app.audit(&mut transaction, client, entry).await?;
    }
    transaction.commit().await?;
    Ok(())
}
