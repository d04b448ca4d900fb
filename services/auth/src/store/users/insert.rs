//! Storing a user.

use pg::events;
use pg::sqlx::{self, PgConnection};

use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use crate::domain::user::NewUser;
use crate::store::StoreResult;

/// Stores a new user.
pub async fn insert(connection: &mut PgConnection, user: &NewUser) -> StoreResult<()> {
    let sql = "insert into auth.users (instance_id, id, aud, role, email, phone, \
               encrypted_password, email_confirmed_at, phone_confirmed_at, confirmation_token, \
               recovery_token, email_change_token_new, email_change, raw_app_meta_data, \
               raw_user_meta_data, is_anonymous, is_super_admin, banned_until, created_at, \
               updated_at) \
               values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, $5, $6, $7, $8, \
               '', '', '', '', $9, $10, $11, $12, $13, $14, $14)";
    sqlx::query(sql)
        .bind(user.id.0)
        .bind(&user.audience)
        .bind(&user.role)
        .bind(user.email.as_ref().map(EmailAddress::as_str))
        .bind(user.phone.as_ref().map(PhoneNumber::as_str))
        .bind(&user.password_hash)
        .bind(user.email_confirmed_at)
        .bind(user.phone_confirmed_at)
        .bind(user.app_metadata.to_value())
        .bind(user.user_metadata.to_value())
        .bind(user.is_anonymous)
        .bind(user.is_super_admin.then_some(true))
        .bind(user.banned_until)
        .bind(user.created_at)
        .execute(&mut *connection)
        .await?;
    let payload = format!(
        r#"{{"user_id":"{}","is_anonymous":{}}}"#,
        user.id.0, user.is_anonymous
    );
    events::emit(connection, "user.created", &payload).await?;
    Ok(())
}
