//! Deleting a user.

use pg::sqlx::{self, PgConnection};
use serde_json::Value;
use time::OffsetDateTime;

use crate::domain::ids::UserId;
use crate::store::{StoreResult, one_time_tokens};

/// Deletes a user and all that refers to the row by `on delete cascade`.
pub async fn delete(connection: &mut PgConnection, id: UserId) -> StoreResult<()> {
    sqlx::query("delete from auth.users where id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the row of a deleted user, for what refers to it, and nothing that tells who it was.
/// The address and number become digests, so that they can be used for another account.
pub async fn delete_softly(
    connection: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let forget_user = "update auth.users set deleted_at = $2, updated_at = $2, \
        email = encode(sha256(convert_to(id::text || email, 'utf8')), 'hex'), \
        phone = left(encode(sha256(convert_to(id::text || phone, 'utf8')), 'hex'), 15), \
        encrypted_password = null, raw_user_meta_data = $3, raw_app_meta_data = $3, \
        email_change = '', phone_change = '', confirmation_token = '', recovery_token = '', \
        email_change_token_new = '', email_change_token_current = '', phone_change_token = '', \
        reauthentication_token = '' where id = $1 and deleted_at is null";
    let forget_identities = "update auth.identities set updated_at = $2, identity_data = $3, \
        provider_id = encode(sha256(convert_to(id::text || provider_id, 'utf8')), 'hex') \
        where user_id = $1";
    for sql in [forget_user, forget_identities] {
        sqlx::query(sql)
            .bind(id.0)
            .bind(now)
            .bind(Value::Object(serde_json::Map::new()))
            .execute(&mut *connection)
            .await?;
    }
    one_time_tokens::delete_all(connection, id).await?;
    Ok(())
}
