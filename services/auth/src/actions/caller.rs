//! Who asks: the user of a token, or an administrator. Read from the database each time, so that
//! a token does not outlive what it was issued for.

use axum::http::HeaderMap;
use jwt::{BearerError, Identity};
use std::sync::Arc;

use crate::app::App;
use crate::domain::audit::Actor;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::refusal::USER_BANNED;
use crate::error::{Error, Result};
use crate::store;

/// The roles whose tokens administrate without being a user's.
const ADMIN_ROLES: [&str; 2] = ["service_role", "supabase_admin"];

/// A user, by a token of theirs.
#[derive(Debug)]
pub struct Caller {
    /// The user.
    pub user: User,
    /// The session of the token; none where the token names none.
    pub session: Option<Session>,
}

/// Somebody who may administrate users.
#[derive(Debug)]
pub struct Admin {
    /// Who it is, for the audit log.
    pub actor: Actor,
}

/// The verified bearer token of a request.
pub fn identity(app: &App, headers: &HeaderMap) -> Result<Arc<Identity>> {
    let token = match jwt::bearer(headers) {
        Ok(token) => token.ok_or(Error::NoAuthorization)?,
        Err(BearerError::OtherScheme | BearerError::Malformed) => {
            return Err(Error::NoAuthorization);
        }
        Err(error @ BearerError::Repeated) => return Err(Error::BadJwt(error.to_string())),
    };
    let verified = app.verifier.verify(token);
    verified.map_err(|error| Error::BadJwt(error.to_string()))
}

/// The user of a token, whose session is still open and who is not banned.
pub async fn caller(app: &App, identity: &Identity) -> Result<Caller> {
    let user_id = identity.user_id().ok_or(Error::NotAUser)?;
    let mut connection = app.pool.acquire().await?;
    let user = store::users::find(&mut connection, UserId(user_id)).await?;
    let user = user.ok_or(Error::TokenUserNotFound)?;
    if user.is_banned(app.now()) {
        return Err(USER_BANNED.into());
    }
    let session = match identity.session_id() {
        None => None,
        Some(id) => {
            let session = store::sessions::find(&mut connection, SessionId(id)).await?;
            let own = session.filter(|session| session.user_id == user.id);
            Some(own.ok_or(Error::SessionNotFound)?)
        }
    };
    Ok(Caller { user, session })
}

/// The administrator of a token: a service key, or a user whom the database says is a superuser.
pub async fn admin(app: &App, identity: &Identity) -> Result<Admin> {
    if ADMIN_ROLES.contains(&identity.role.as_str()) {
        let actor = Actor::service(&identity.role);
        return Ok(Admin { actor });
    }
    if !identity.is_superuser() {
        return Err(Error::NotAdmin);
    }
    let Caller { user, session } = caller(app, identity).await?;
    let is_admin = user.is_superuser() && session.is_some();
    if !is_admin {
        return Err(Error::NotAdmin);
    }
    let actor = Actor::user(&user);
    Ok(Admin { actor })
}
