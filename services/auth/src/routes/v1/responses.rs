//! Users and sessions as SelfDB's clients read them.

use serde::Serialize;
use time::OffsetDateTime;

use crate::actions::grant::Grant;
use crate::domain::ids::UserId;
use crate::domain::user::User;

/// A user.
#[derive(Debug, Serialize)]
pub(crate) struct ProfileResponse {
    id: UserId,
    email: String,
    is_active: bool,
    is_superuser: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl ProfileResponse {
    /// What is told of `user` at `now`.
    pub(super) fn new(user: &User, now: OffsetDateTime) -> Self {
        let epoch = OffsetDateTime::UNIX_EPOCH;
        Self {
            id: user.id,
            email: user.email.clone().unwrap_or_default(),
            is_active: !user.is_banned(now) && user.times.deleted_at.is_none(),
            is_superuser: user.is_superuser(),
            created_at: user.times.created_at.unwrap_or(epoch),
            updated_at: user.times.updated_at.unwrap_or(epoch),
        }
    }
}

/// A session.
#[derive(Debug, Serialize)]
pub(crate) struct LogInResponse {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    expires_in: u64,
    is_superuser: bool,
    email: String,
    user_id: UserId,
}

impl From<Grant> for LogInResponse {
    fn from(grant: Grant) -> Self {
        Self {
            access_token: grant.access_token,
            refresh_token: grant.refresh_token.expose().to_owned(),
            token_type: "bearer",
            expires_in: grant.expires_in,
            is_superuser: grant.user.is_superuser(),
            user_id: grant.user.id,
            email: grant.user.email.unwrap_or_default(),
        }
    }
}
