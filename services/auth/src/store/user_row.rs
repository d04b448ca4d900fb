//! How a row of `auth.users`, with its identities, becomes a [`User`].

use pg::sqlx::postgres::PgRow;
use pg::sqlx::types::Json;
use pg::sqlx::{self, Row as _};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::factor::Factor;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::user::{DEFAULT_ROLE, Identity, User, UserTimes};

/// The columns of a user, for `select … from auth.users u`. Rows that people wrote themselves may
/// leave out what rows of ours always have.
macro_rules! user_columns {
    () => {
        "u.id, u.aud, u.role, u.email, u.phone, u.encrypted_password, \
         u.created_at, u.updated_at, u.email_confirmed_at, u.phone_confirmed_at, \
         u.confirmed_at, u.invited_at, u.confirmation_sent_at, u.recovery_sent_at, \
         u.email_change_sent_at, u.phone_change_sent_at, u.reauthentication_sent_at, \
         u.last_sign_in_at, u.banned_until, u.deleted_at, u.email_change, u.phone_change, \
         u.email_change_confirm_status, u.raw_app_meta_data, u.raw_user_meta_data, u.is_anonymous, u.is_sso_user, \
         (select json_agg(row_to_json(i) order by i.created_at, i.id) \
            from auth.identities i where i.user_id = u.id) as identities, \
         (select json_agg(json_build_object('id', f.id, 'friendly_name', f.friendly_name, \
            'factor_type', f.factor_type, 'status', f.status, 'phone', f.phone, \
            'created_at', f.created_at, 'updated_at', f.updated_at, \
            'last_challenged_at', f.last_challenged_at) order by f.created_at, f.id) \
            from auth.mfa_factors f where f.user_id = u.id) as factors"
    };
}

pub(super) use user_columns;

/// An identity as `row_to_json` writes it.
#[derive(Debug, Deserialize)]
struct IdentityJson {
    id: Uuid,
    provider_id: String,
    user_id: UserId,
    identity_data: Metadata,
    provider: String,
    email: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_sign_in_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    updated_at: Option<OffsetDateTime>,
}

impl From<IdentityJson> for Identity {
    fn from(row: IdentityJson) -> Self {
        Self {
            id: row.id,
            provider_id: row.provider_id,
            user_id: row.user_id,
            data: row.identity_data,
            provider: row.provider,
            email: row.email,
            last_sign_in_at: row.last_sign_in_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Reads a row of [`user_columns`].
pub(super) fn read_user(row: &PgRow) -> sqlx::Result<User> {
    let identities: Option<Json<Vec<IdentityJson>>> = row.try_get("identities")?;
    let identities = identities.map(|Json(rows)| rows).unwrap_or_default();
    let factors: Option<Json<Vec<Factor>>> = row.try_get("factors")?;
    let confirmations: Option<i16> = row.try_get("email_change_confirm_status")?;
    Ok(User {
        id: UserId(row.try_get("id")?),
        audience: text(row, "aud")?.unwrap_or_else(|| DEFAULT_ROLE.to_owned()),
        role: text(row, "role")?.unwrap_or_else(|| DEFAULT_ROLE.to_owned()),
        email: text(row, "email")?.map(|email| email.to_lowercase()),
        phone: text(row, "phone")?,
        password_hash: text(row, "encrypted_password")?,
        times: read_times(row)?,
        new_email: text(row, "email_change")?,
        new_email_confirmations: confirmations.unwrap_or_default(),
        new_phone: text(row, "phone_change")?,
        app_metadata: metadata(row, "raw_app_meta_data")?,
        user_metadata: metadata(row, "raw_user_meta_data")?,
        identities: identities.into_iter().map(Identity::from).collect(),
        factors: factors.map(|Json(rows)| rows).unwrap_or_default(),
        is_anonymous: row.try_get("is_anonymous")?,
        is_sso: row.try_get("is_sso_user")?,
    })
}

fn read_times(row: &PgRow) -> sqlx::Result<UserTimes> {
    Ok(UserTimes {
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        email_confirmed_at: row.try_get("email_confirmed_at")?,
        phone_confirmed_at: row.try_get("phone_confirmed_at")?,
        confirmed_at: row.try_get("confirmed_at")?,
        invited_at: row.try_get("invited_at")?,
        confirmation_sent_at: row.try_get("confirmation_sent_at")?,
        recovery_sent_at: row.try_get("recovery_sent_at")?,
        email_change_sent_at: row.try_get("email_change_sent_at")?,
        phone_change_sent_at: row.try_get("phone_change_sent_at")?,
        reauthentication_sent_at: row.try_get("reauthentication_sent_at")?,
        last_sign_in_at: row.try_get("last_sign_in_at")?,
        banned_until: row.try_get("banned_until")?,
        deleted_at: row.try_get("deleted_at")?,
    })
}

/// A text column; the empty string counts as null, as seed files write either.
fn text(row: &PgRow, column: &str) -> sqlx::Result<Option<String>> {
    let text: Option<String> = row.try_get(column)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A JSON object column; anything else counts as empty.
fn metadata(row: &PgRow, column: &str) -> sqlx::Result<Metadata> {
    let value: Option<serde_json::Value> = row.try_get(column)?;
    match value {
        Some(serde_json::Value::Object(object)) => Ok(Metadata(object)),
        Some(_) | None => Ok(Metadata::default()),
    }
}
