//! What an access token says, in the order the contract lists it.

use serde::Serialize;
use time::OffsetDateTime;

use crate::domain::ids::{SessionId, UserId};
use crate::domain::metadata::Metadata;
use crate::domain::session::{MethodReference, Session};
use crate::domain::user::User;

/// The claims of an access token.
#[derive(Debug, Serialize)]
pub struct AccessClaims<'a> {
    /// Who issued it.
    pub iss: &'a str,
    /// The user's id.
    pub sub: UserId,
    /// Who it is for.
    pub aud: &'a str,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// The e-mail address, or nothing.
    pub email: &'a str,
    /// The phone number, or nothing.
    pub phone: &'a str,
    /// What the server says of the user.
    pub app_metadata: &'a Metadata,
    /// What the user says.
    pub user_metadata: &'a Metadata,
    /// The Postgres role.
    pub role: &'a str,
    /// How sure we are who it is.
    pub aal: &'static str,
    /// How they proved it.
    pub amr: &'a [MethodReference],
    /// The session it belongs to.
    pub session_id: SessionId,
    /// Whether the user has shown nothing of themselves.
    pub is_anonymous: bool,
}

impl<'a> AccessClaims<'a> {
    /// The claims of a token for `user` in `session`, from `issued_at` until `expires_at`.
    pub fn new(
        issuer: &'a str,
        user: &'a User,
        session: &'a Session,
        issued_at: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Self {
        Self {
            iss: issuer,
            sub: user.id,
            aud: &user.audience,
            exp: expires_at.unix_timestamp(),
            iat: issued_at.unix_timestamp(),
            email: user.email.as_deref().unwrap_or_default(),
            phone: user.phone.as_deref().unwrap_or_default(),
            app_metadata: &user.app_metadata,
            user_metadata: &user.user_metadata,
            role: &user.role,
            aal: session.aal.as_str(),
            amr: &session.methods,
            session_id: session.id,
            is_anonymous: user.is_anonymous,
        }
    }
}
