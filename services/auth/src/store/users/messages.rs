//! What was sent to a user, and which address or number waits for an answer.

use pg::sqlx::{self, PgConnection};
use time::OffsetDateTime;

use crate::domain::ids::UserId;
use crate::domain::one_time::Purpose;
use crate::store::StoreResult;

/// Notes when a user was sent something; none takes the note back.
pub async fn update_sent(
    connection: &mut PgConnection,
    id: UserId,
    purpose: Purpose,
    at: Option<OffsetDateTime>,
) -> StoreResult<()> {
    let sql = match purpose {
        Purpose::Confirmation => "update auth.users set confirmation_sent_at = $2 where id = $1",
        Purpose::Recovery => "update auth.users set recovery_sent_at = $2 where id = $1",
        Purpose::EmailChangeCurrent | Purpose::EmailChangeNew => {
            "update auth.users set email_change_sent_at = $2 where id = $1"
        }
        Purpose::Reauthentication => {
            "update auth.users set reauthentication_sent_at = $2 where id = $1"
        }
        Purpose::PhoneChange => "update auth.users set phone_change_sent_at = $2 where id = $1",
    };
    sqlx::query(sql)
        .bind(id.0)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a user was invited.
pub async fn update_invited(
    connection: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query("update auth.users set invited_at = $2, updated_at = $2 where id = $1")
        .bind(id.0)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes the address that waits for confirmation; `confirmed` counts who has confirmed it.
pub async fn update_new_email(
    connection: &mut PgConnection,
    id: UserId,
    email: &str,
    confirmed: i16,
) -> StoreResult<()> {
    let sql = "update auth.users set email_change = $2, email_change_confirm_status = $3 \
               where id = $1";
    sqlx::query(sql)
        .bind(id.0)
        .bind(email)
        .bind(confirmed)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes the number that waits for confirmation.
pub async fn update_new_phone(
    connection: &mut PgConnection,
    id: UserId,
    phone: &str,
) -> StoreResult<()> {
    sqlx::query("update auth.users set phone_change = $2 where id = $1")
        .bind(id.0)
        .bind(phone)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets a number that no identity stands for any more.
pub async fn forget_phone(connection: &mut PgConnection, id: UserId) -> StoreResult<()> {
    sqlx::query("update auth.users set phone = null, phone_confirmed_at = null where id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the password of a user who signs in by others only.
pub async fn forget_password(connection: &mut PgConnection, id: UserId) -> StoreResult<()> {
    sqlx::query("update auth.users set encrypted_password = null where id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}
