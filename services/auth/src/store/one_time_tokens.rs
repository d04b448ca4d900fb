//! `auth.one_time_tokens`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::UserId;
use crate::domain::one_time::{Purpose, StoredOneTime};
use crate::store::StoreResult;

/// What is stored of a token.
#[derive(Debug, Clone)]
pub struct NewOneTime {
    /// The row's id.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// What for.
    pub purpose: Purpose,
    /// The SHA-256 of what the link has.
    pub link_hash: String,
    /// What is stored of the code.
    pub code_hash: String,
    /// The address or number it is sent to.
    pub relates_to: String,
    /// The sign-in that its link goes on with.
    pub flow_state: Option<Uuid>,
}

/// Stores a token in place of the user's last one for the same purpose.
pub async fn replace(
    connection: &mut PgConnection,
    token: &NewOneTime,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "insert into auth.one_time_tokens (id, user_id, token_type, token_hash, code_hash, \
               relates_to, flow_state_id, created_at, updated_at) \
               values ($1, $2, $3::auth.one_time_token_type, $4, $5, $6, $7, $8, $8) \
               on conflict (user_id, token_type) do update set id = excluded.id, \
               token_hash = excluded.token_hash, code_hash = excluded.code_hash, \
               relates_to = excluded.relates_to, flow_state_id = excluded.flow_state_id, \
               provider_reference = null, created_at = excluded.created_at, \
               updated_at = excluded.updated_at";
    sqlx::query(sql)
        .bind(token.id)
        .bind(token.user_id.0)
        .bind(token.purpose.as_str())
        .bind(&token.link_hash)
        .bind(&token.code_hash)
        .bind(&token.relates_to)
        .bind(token.flow_state)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

macro_rules! columns {
    () => {
        "select id, user_id, token_type::text as token_type, relates_to, code_hash, created_at, \
         flow_state_id, provider_reference from auth.one_time_tokens "
    };
}

/// The token of a link.
pub async fn find_by_link(
    connection: &mut PgConnection,
    link_hash: &str,
) -> StoreResult<Option<StoredOneTime>> {
    let row = sqlx::query(concat!(columns!(), "where token_hash = $1 limit 1"))
        .bind(link_hash)
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// A user's token for one purpose.
pub async fn find(
    connection: &mut PgConnection,
    user_id: UserId,
    purpose: Purpose,
) -> StoreResult<Option<StoredOneTime>> {
    let sql = concat!(
        columns!(),
        "where user_id = $1 and token_type = $2::auth.one_time_token_type"
    );
    let row = sqlx::query(sql)
        .bind(user_id.0)
        .bind(purpose.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// Removes a token; answers whether it was there, so that only one who shows it is believed.
pub async fn delete(connection: &mut PgConnection, id: Uuid) -> StoreResult<bool> {
    let done = sqlx::query("delete from auth.one_time_tokens where id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a token as [`delete`] does, and answers its row, to be put back.
pub async fn take(connection: &mut PgConnection, id: Uuid) -> StoreResult<Option<Value>> {
    let sql = "delete from auth.one_time_tokens t where id = $1 returning to_jsonb(t)";
    let row = sqlx::query_scalar(sql).bind(id);
    Ok(row.fetch_optional(connection).await?)
}

/// Puts a row back that [`take`] answered, unless there is a newer token for the same purpose.
pub async fn put_back(connection: &mut PgConnection, row: &Value) -> StoreResult<()> {
    let sql = "insert into auth.one_time_tokens \
               select (jsonb_populate_record(null::auth.one_time_tokens, $1)).* \
               on conflict do nothing";
    sqlx::query(sql).bind(row).execute(connection).await?;
    Ok(())
}

/// Removes all tokens of a user.
pub async fn delete_all(connection: &mut PgConnection, user_id: UserId) -> StoreResult<()> {
    sqlx::query("delete from auth.one_time_tokens where user_id = $1")
        .bind(user_id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes up to `limit` tokens that were made before `made_before`; answers how many.
pub async fn delete_old(
    connection: &mut PgConnection,
    made_before: OffsetDateTime,
    limit: i64,
) -> StoreResult<u64> {
    let sql = "delete from auth.one_time_tokens where id in (select id from \
               auth.one_time_tokens where created_at < $1 limit $2 for update skip locked)";
    let done = sqlx::query(sql)
        .bind(made_before)
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &PgRow) -> sqlx::Result<StoredOneTime> {
    let name: String = row.try_get("token_type")?;
    let purpose = Purpose::from_name(&name)
        .ok_or_else(|| sqlx::Error::Decode(format!("an unknown token type: {name}").into()))?;
    Ok(StoredOneTime {
        id: row.try_get("id")?,
        user_id: UserId(row.try_get("user_id")?),
        purpose,
        relates_to: row.try_get("relates_to")?,
        code_hash: row.try_get("code_hash")?,
        created_at: row.try_get("created_at")?,
        flow_state: row.try_get("flow_state_id")?,
        provider_reference: row.try_get("provider_reference")?,
    })
}
