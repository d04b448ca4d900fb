//! Users and sessions as clients and hooks read them.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::actions::grant::Grant;
use crate::domain::factor::{Factor, FactorStatus, FactorType};
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::password::WeakPassword;
use crate::domain::user::{Identity, User};

type Time = Option<OffsetDateTime>;

/// A user.
#[derive(Debug, Serialize)]
pub(crate) struct UserResponse {
    id: UserId,
    aud: String,
    role: String,
    email: String,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    email_confirmed_at: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    invited_at: Time,
    phone: String,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    phone_confirmed_at: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    confirmation_sent_at: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    confirmed_at: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    recovery_sent_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_email: Option<String>,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    email_change_sent_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_phone: Option<String>,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    phone_change_sent_at: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    reauthentication_sent_at: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    last_sign_in_at: Time,
    app_metadata: Metadata,
    user_metadata: Metadata,
    identities: Vec<IdentityResponse>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    factors: Vec<FactorResponse>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    banned_until: Time,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    deleted_at: Time,
    is_anonymous: bool,
}

impl From<User> for UserResponse {
    fn from(user: User) -> Self {
        let times = user.times;
        Self {
            id: user.id,
            aud: user.audience,
            role: user.role,
            email: user.email.unwrap_or_default(),
            email_confirmed_at: times.email_confirmed_at,
            invited_at: times.invited_at,
            phone: user.phone.unwrap_or_default(),
            phone_confirmed_at: times.phone_confirmed_at,
            confirmation_sent_at: times.confirmation_sent_at,
            confirmed_at: times.confirmed_at,
            recovery_sent_at: times.recovery_sent_at,
            new_email: user.new_email,
            email_change_sent_at: times.email_change_sent_at,
            new_phone: user.new_phone,
            phone_change_sent_at: times.phone_change_sent_at,
            reauthentication_sent_at: times.reauthentication_sent_at,
            last_sign_in_at: times.last_sign_in_at,
            app_metadata: user.app_metadata,
            user_metadata: user.user_metadata,
            identities: user.identities.into_iter().map(Into::into).collect(),
            factors: user.factors.into_iter().map(Into::into).collect(),
            created_at: times.created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            updated_at: times.updated_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            banned_until: times.banned_until,
            deleted_at: times.deleted_at,
            is_anonymous: user.is_anonymous,
        }
    }
}

/// A second factor.
#[derive(Debug, Serialize)]
pub(crate) struct FactorResponse {
    id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    status: FactorStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    friendly_name: Option<String>,
    factor_type: FactorType,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    last_challenged_at: Time,
}

impl From<Factor> for FactorResponse {
    fn from(factor: Factor) -> Self {
        Self {
            id: factor.id,
            created_at: factor.created_at,
            updated_at: factor.updated_at,
            status: factor.status,
            friendly_name: factor.friendly_name,
            factor_type: factor.factor_type,
            phone: factor.phone,
            last_challenged_at: factor.last_challenged_at,
        }
    }
}

/// An identity. On the wire, `id` is the provider's.
#[derive(Debug, Serialize)]
pub(crate) struct IdentityResponse {
    identity_id: Uuid,
    id: String,
    user_id: UserId,
    identity_data: Metadata,
    provider: String,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    last_sign_in_at: Time,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl From<Identity> for IdentityResponse {
    fn from(identity: Identity) -> Self {
        Self {
            identity_id: identity.id,
            id: identity.provider_id,
            user_id: identity.user_id,
            identity_data: identity.data,
            provider: identity.provider,
            last_sign_in_at: identity.last_sign_in_at,
            created_at: identity.created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            updated_at: identity.updated_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            email: identity.email,
        }
    }
}

/// A session.
#[derive(Debug, Serialize)]
pub(crate) struct SessionResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    expires_at: i64,
    refresh_token: String,
    user: UserResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<WeakPassword>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_refresh_token: Option<String>,
}

impl From<Grant> for SessionResponse {
    fn from(grant: Grant) -> Self {
        Self {
            access_token: grant.access_token,
            token_type: "bearer",
            expires_in: grant.expires_in,
            expires_at: grant.expires_at,
            refresh_token: grant.refresh_token.expose().to_owned(),
            user: grant.user.into(),
            weak_password: grant.weak_password,
            provider_token: grant.provider_tokens.access_token,
            provider_refresh_token: grant.provider_tokens.refresh_token,
        }
    }
}
