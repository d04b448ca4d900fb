//! `auth.mfa_factors` and `auth.mfa_challenges`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::factor::{Challenge, FactorStatus, NewFactor};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{Client, Method};
use crate::store::StoreResult;

/// Stores a new factor.
pub async fn insert(
    connection: &mut PgConnection,
    factor: &NewFactor,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, \
               secret, phone, created_at, updated_at) \
               values ($1, $2, $3, $4::auth.factor_type, 'unverified', $5, $6, $7, $7)";
    sqlx::query(sql)
        .bind(factor.id)
        .bind(factor.user_id.0)
        .bind(&factor.friendly_name)
        .bind(factor.factor_type.as_str())
        .bind(&factor.sealed_secret)
        .bind(&factor.phone)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// What an authenticator app was given, sealed, and the last time step that a code was taken of.
pub async fn find_secret(
    connection: &mut PgConnection,
    id: Uuid,
) -> StoreResult<Option<(String, Option<i64>)>> {
    let sql = "select secret, last_totp_step from auth.mfa_factors \
               where id = $1 and secret is not null for update";
    let row = sqlx::query(sql).bind(id).fetch_optional(connection).await?;
    let read = |row: &PgRow| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?));
    Ok(row.as_ref().map(read).transpose()?)
}

/// Notes that a factor works; `step` is the time step of the code that was taken.
pub async fn update_verified(
    connection: &mut PgConnection,
    id: Uuid,
    step: Option<i64>,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.mfa_factors set status = 'verified', updated_at = $3, \
               last_totp_step = coalesce($2, last_totp_step) where id = $1";
    sqlx::query(sql)
        .bind(id)
        .bind(step)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Changes what a user calls a factor.
pub async fn rename(
    connection: &mut PgConnection,
    id: Uuid,
    name: &str,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.mfa_factors set friendly_name = $2, updated_at = $3 where id = $1";
    sqlx::query(sql)
        .bind(id)
        .bind(name)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// The public part of a security key.
pub async fn find_credential(
    connection: &mut PgConnection,
    id: Uuid,
) -> StoreResult<Option<Value>> {
    let sql = "select web_authn_credential from auth.mfa_factors where id = $1 for update";
    let row = sqlx::query(sql).bind(id).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}

/// The public parts of all security keys of a user.
pub async fn list_credentials(
    connection: &mut PgConnection,
    user_id: UserId,
) -> StoreResult<Vec<Value>> {
    let sql = "select web_authn_credential from auth.mfa_factors \
               where user_id = $1 and web_authn_credential is not null";
    let rows = sqlx::query(sql)
        .bind(user_id.0)
        .fetch_all(connection)
        .await?;
    let keys: sqlx::Result<_> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(keys?)
}

/// Notes the public part of a security key.
pub async fn update_credential(
    connection: &mut PgConnection,
    id: Uuid,
    credential: &Value,
) -> StoreResult<()> {
    sqlx::query("update auth.mfa_factors set web_authn_credential = $2 where id = $1")
        .bind(id)
        .bind(credential)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a factor; sessions that it strengthened fall back to their first factor.
pub async fn delete(connection: &mut PgConnection, id: Uuid) -> StoreResult<()> {
    let forget_methods = "delete from auth.mfa_amr_claims where session_id in \
                          (select id from auth.sessions where factor_id = $1) \
                          and authentication_method in ('totp', 'mfa/phone', 'mfa/webauthn')";
    let weaken = "update auth.sessions set aal = 'aal1', factor_id = null where factor_id = $1";
    for sql in [
        forget_methods,
        weaken,
        "delete from auth.mfa_factors where id = $1",
    ] {
        sqlx::query(sql).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes factors of a user that were never shown to work, but for those begun after `since`.
pub async fn delete_unverified(
    connection: &mut PgConnection,
    user_id: UserId,
    since: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "delete from auth.mfa_factors where user_id = $1 and status = $2::auth.factor_status \
               and created_at < $3";
    sqlx::query(sql)
        .bind(user_id.0)
        .bind(FactorStatus::Unverified.as_str())
        .bind(since)
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores what a user is asked to show.
pub async fn insert_challenge(
    connection: &mut PgConnection,
    factor_id: Uuid,
    challenge: &Challenge,
    client: &Client,
) -> StoreResult<()> {
    let sql = "with asked as (update auth.mfa_factors set last_challenged_at = $3 where id = $2) \
               insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code, \
               web_authn_session_data) values ($1, $2, $3, $4::inet, $5, $6)";
    sqlx::query(sql)
        .bind(challenge.id)
        .bind(factor_id)
        .bind(challenge.created_at)
        .bind(client.ip.to_string())
        .bind(&challenge.code_hash)
        .bind(&challenge.webauthn_state)
        .execute(connection)
        .await?;
    Ok(())
}

/// What a user was asked to show of a factor; nobody else answers it until the transaction ends.
pub async fn find_challenge(
    connection: &mut PgConnection,
    factor_id: Uuid,
    id: Uuid,
) -> StoreResult<Option<Challenge>> {
    let sql = "select id, otp_code, created_at, verified_at, web_authn_session_data \
               from auth.mfa_challenges where factor_id = $1 and id = $2 for update";
    let row = sqlx::query(sql)
        .bind(factor_id)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    let read = |row: &PgRow| {
        Ok::<_, sqlx::Error>(Challenge {
            id: row.try_get("id")?,
            code_hash: row.try_get("otp_code")?,
            created_at: row.try_get("created_at")?,
            verified_at: row.try_get("verified_at")?,
            webauthn_state: row.try_get("web_authn_session_data")?,
        })
    };
    Ok(row.as_ref().map(read).transpose()?)
}

/// Notes that a challenge was answered.
pub async fn update_challenge(
    connection: &mut PgConnection,
    id: Uuid,
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query("update auth.mfa_challenges set verified_at = $2 where id = $1")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a session's user has shown a second factor; other sessions that have not, end.
pub async fn strengthen(
    connection: &mut PgConnection,
    (session_id, user_id): (SessionId, UserId),
    (factor_id, method, claim_id): (Uuid, Method, Uuid),
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query("update auth.sessions set aal = 'aal2', factor_id = $2 where id = $1")
        .bind(session_id.0)
        .bind(factor_id)
        .execute(&mut *connection)
        .await?;
    let note = "insert into auth.mfa_amr_claims (id, session_id, authentication_method, \
                created_at, updated_at) values ($1, $2, $3, $4, $4) \
                on conflict on constraint mfa_amr_claims_session_id_authentication_method_pkey \
                do update set updated_at = excluded.updated_at";
    sqlx::query(note)
        .bind(claim_id)
        .bind(session_id.0)
        .bind(method.as_str())
        .bind(now)
        .execute(&mut *connection)
        .await?;
    let end = "delete from auth.sessions where user_id = $1 and id <> $2 and aal < 'aal2'";
    sqlx::query(end)
        .bind(user_id.0)
        .bind(session_id.0)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Removes up to `limit` challenges that were made before `made_before`; answers how many.
pub async fn delete_old_challenges(
    connection: &mut PgConnection,
    made_before: OffsetDateTime,
    limit: i64,
) -> StoreResult<u64> {
    let sql = "delete from auth.mfa_challenges where id in (select id from auth.mfa_challenges \
               where created_at < $1 limit $2 for update skip locked)";
    let done = sqlx::query(sql)
        .bind(made_before)
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
