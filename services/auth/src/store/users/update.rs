//! Changing a user.

use pg::sqlx::{self, PgConnection};
use time::OffsetDateTime;

use crate::domain::email::EmailAddress;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::phone::PhoneNumber;
use crate::store::{StoreResult, one_time_tokens};

/// Columns of a user to be written; none leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// A new Postgres role.
    pub role: Option<String>,
    /// A new e-mail address.
    pub email: Option<EmailAddress>,
    /// A new phone number.
    pub phone: Option<PhoneNumber>,
    /// A new password's hash.
    pub password_hash: Option<String>,
    /// When the address was confirmed.
    pub email_confirmed_at: Option<OffsetDateTime>,
    /// When the number was confirmed.
    pub phone_confirmed_at: Option<OffsetDateTime>,
    /// All of the new `app_metadata`.
    pub app_metadata: Option<Metadata>,
    /// All of the new `user_metadata`.
    pub user_metadata: Option<Metadata>,
    /// Whether the user is anonymous.
    pub is_anonymous: Option<bool>,
    /// A ban, or its end.
    pub ban: Option<BanChange>,
}

/// What becomes of a user's ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanChange {
    /// It ends.
    Lift,
    /// It lasts until then.
    Until(OffsetDateTime),
}

/// Writes `changes` to a user. A new password, address or number makes tokens that were sent
/// before worthless.
pub async fn update(
    connection: &mut PgConnection,
    id: UserId,
    changes: &UserChanges,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.users set \
               role = coalesce($2, role), email = coalesce($3, email), \
               phone = coalesce($4, phone), \
               encrypted_password = coalesce($5, encrypted_password), \
               email_confirmed_at = coalesce($6, email_confirmed_at), \
               phone_confirmed_at = coalesce($7, phone_confirmed_at), \
               raw_app_meta_data = coalesce($8, raw_app_meta_data), \
               raw_user_meta_data = coalesce($9, raw_user_meta_data), \
               is_anonymous = coalesce($10, is_anonymous), \
               banned_until = case when $11 then $12 else banned_until end, \
               confirmation_token = case when $13 then '' else confirmation_token end, \
               recovery_token = case when $13 then '' else recovery_token end, \
               email_change_token_new = case when $13 then '' else email_change_token_new end, \
               email_change_token_current = \
                   case when $13 then '' else email_change_token_current end, \
               phone_change_token = case when $13 then '' else phone_change_token end, \
               reauthentication_token = case when $13 then '' else reauthentication_token end, \
               updated_at = $14 where id = $1";
    let voids_tokens =
        changes.password_hash.is_some() || changes.email.is_some() || changes.phone.is_some();
    let banned_until = match changes.ban {
        Some(BanChange::Until(until)) => Some(until),
        Some(BanChange::Lift) | None => None,
    };
    sqlx::query(sql)
        .bind(id.0)
        .bind(&changes.role)
        .bind(changes.email.as_ref().map(EmailAddress::as_str))
        .bind(changes.phone.as_ref().map(PhoneNumber::as_str))
        .bind(&changes.password_hash)
        .bind(changes.email_confirmed_at)
        .bind(changes.phone_confirmed_at)
        .bind(changes.app_metadata.as_ref().map(Metadata::to_value))
        .bind(changes.user_metadata.as_ref().map(Metadata::to_value))
        .bind(changes.is_anonymous)
        .bind(changes.ban.is_some())
        .bind(banned_until)
        .bind(voids_tokens)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    if voids_tokens {
        one_time_tokens::delete_all(connection, id).await?;
    }
    Ok(())
}

/// Notes that the user signed in now.
pub async fn update_last_sign_in(
    connection: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query("update auth.users set last_sign_in_at = $2, updated_at = $2 where id = $1")
        .bind(id.0)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces a password's hash by another of the same password.
pub async fn replace_hash(
    connection: &mut PgConnection,
    id: UserId,
    hash: &str,
) -> StoreResult<()> {
    sqlx::query("update auth.users set encrypted_password = $2 where id = $1")
        .bind(id.0)
        .bind(hash)
        .execute(connection)
        .await?;
    Ok(())
}
