//! `auth.webauthn_credentials` and `auth.webauthn_challenges`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::UserId;
use crate::domain::passkey::{Passkey, PasskeyChallenge, PasskeyPurpose};
use crate::store::StoreResult;

macro_rules! columns {
    () => {
        "id, user_id, credential, friendly_name, created_at, last_used_at"
    };
}

/// Stores a new passkey; answers whether nobody had registered it before.
pub async fn insert(
    connection: &mut PgConnection,
    passkey: &Passkey,
    credential_id: &str,
) -> StoreResult<bool> {
    let sql = "insert into auth.webauthn_credentials (id, user_id, credential_id, credential, \
               friendly_name, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6) \
               on conflict on constraint webauthn_credentials_credential_id_key do nothing";
    let done = sqlx::query(sql)
        .bind(passkey.id)
        .bind(passkey.user_id.0)
        .bind(credential_id)
        .bind(&passkey.key)
        .bind(&passkey.friendly_name)
        .bind(passkey.created_at)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A user's passkeys, the oldest first.
pub async fn list(connection: &mut PgConnection, user_id: UserId) -> StoreResult<Vec<Passkey>> {
    let sql = concat!(
        "select ",
        columns!(),
        " from auth.webauthn_credentials where user_id = $1 order by created_at, id"
    );
    let rows = sqlx::query(sql)
        .bind(user_id.0)
        .fetch_all(connection)
        .await?;
    let passkeys: sqlx::Result<_> = rows.iter().map(read).collect();
    Ok(passkeys?)
}

/// The user's passkey that its authenticator calls by this name; nobody else uses it until the
/// transaction ends.
pub async fn find_for_update(
    connection: &mut PgConnection,
    user_id: UserId,
    credential_id: &str,
) -> StoreResult<Option<Passkey>> {
    let sql = concat!(
        "select ",
        columns!(),
        " from auth.webauthn_credentials where user_id = $1 and credential_id = $2 for update"
    );
    let row = sqlx::query(sql)
        .bind(user_id.0)
        .bind(credential_id)
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// Notes that a passkey was signed in with.
pub async fn update_used(
    connection: &mut PgConnection,
    id: Uuid,
    key: &Value,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.webauthn_credentials set credential = $2, last_used_at = $3, \
               updated_at = $3 where id = $1";
    sqlx::query(sql)
        .bind(id)
        .bind(key)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Changes what a user calls a passkey; none where they have no such.
pub async fn rename(
    connection: &mut PgConnection,
    (user_id, id): (UserId, Uuid),
    name: &str,
    now: OffsetDateTime,
) -> StoreResult<Option<Passkey>> {
    let sql = concat!(
        "update auth.webauthn_credentials set friendly_name = $3, updated_at = $4 \
         where user_id = $1 and id = $2 returning ",
        columns!()
    );
    let row = sqlx::query(sql)
        .bind(user_id.0)
        .bind(id)
        .bind(name)
        .bind(now)
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// Removes a user's passkey; answers whether they had it.
pub async fn delete(
    connection: &mut PgConnection,
    (user_id, id): (UserId, Uuid),
) -> StoreResult<bool> {
    let done = sqlx::query("delete from auth.webauthn_credentials where user_id = $1 and id = $2")
        .bind(user_id.0)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores what a browser is asked.
pub async fn insert_challenge(
    connection: &mut PgConnection,
    challenge: &PasskeyChallenge,
) -> StoreResult<()> {
    let sql = "insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, \
               created_at, expires_at) values ($1, $2, $3, $4, $5, $6)";
    sqlx::query(sql)
        .bind(challenge.id)
        .bind(challenge.user_id.map(|id| id.0))
        .bind(challenge.purpose.as_str())
        .bind(&challenge.state)
        .bind(challenge.created_at)
        .bind(challenge.expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes what the user's browser was asked, or anybody's where no user is given: the first who
/// answers has it, and nobody after.
pub async fn take_challenge(
    connection: &mut PgConnection,
    id: Uuid,
    purpose: PasskeyPurpose,
    user_id: Option<UserId>,
) -> StoreResult<Option<PasskeyChallenge>> {
    let sql = "delete from auth.webauthn_challenges where id = $1 and challenge_type = $2 \
               and user_id is not distinct from $3 \
               returning id, user_id, session_data, created_at, expires_at";
    let row = sqlx::query(sql)
        .bind(id)
        .bind(purpose.as_str())
        .bind(user_id.map(|id| id.0))
        .fetch_optional(connection)
        .await?;
    let read = |row: &PgRow| {
        Ok::<_, sqlx::Error>(PasskeyChallenge {
            id: row.try_get("id")?,
            user_id: row.try_get::<Option<Uuid>, _>("user_id")?.map(UserId),
            purpose,
            state: row.try_get("session_data")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    };
    Ok(row.as_ref().map(read).transpose()?)
}

/// Removes up to `limit` challenges that were made before `made_before`; answers how many.
pub async fn delete_old_challenges(
    connection: &mut PgConnection,
    made_before: OffsetDateTime,
    limit: i64,
) -> StoreResult<u64> {
    let sql = "delete from auth.webauthn_challenges where id in \
               (select id from auth.webauthn_challenges where created_at < $1 limit $2 \
                for update skip locked)";
    let done = sqlx::query(sql)
        .bind(made_before)
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &PgRow) -> sqlx::Result<Passkey> {
    Ok(Passkey {
        id: row.try_get("id")?,
        user_id: UserId(row.try_get("user_id")?),
        key: row.try_get("credential")?,
        friendly_name: row.try_get("friendly_name")?,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}
