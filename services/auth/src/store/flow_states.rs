//! `auth.flow_state`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::derived_key::sha256_hex;
use crate::domain::flow_state::{FlowState, ProviderTokens};
use crate::domain::ids::UserId;
use crate::domain::pkce::{ChallengeMethod, CodeChallenge};
use crate::store::StoreResult;

/// Stores a sign-in that began.
pub async fn insert(connection: &mut PgConnection, flow: &FlowState) -> StoreResult<()> {
    let sql = "insert into auth.flow_state (id, user_id, code_challenge_method, code_challenge, \
               provider_type, authentication_method, linking_target_id, referrer, created_at, \
               updated_at, browser_hash) values ($1, $2, $3::auth.code_challenge_method, $4, $5, \
               $6, $7, $8, $9, $9, $10)";
    let challenge = flow.challenge.as_ref();
    sqlx::query(sql)
        .bind(flow.id)
        .bind(flow.user_id.map(|id| id.0))
        .bind(challenge.map(|challenge| challenge.method.as_str()))
        .bind(challenge.map(|challenge| &challenge.challenge))
        .bind(&flow.provider)
        .bind(&flow.method)
        .bind(flow.linking_target.map(|id| id.0))
        .bind(&flow.redirect_to)
        .bind(flow.created_at)
        .bind(&flow.browser_hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a sign-in its code: who it is is known now. `method` replaces the way it was begun.
pub async fn issue_code(
    connection: &mut PgConnection,
    (id, user_id): (Uuid, UserId),
    code: &str,
    tokens: &ProviderTokens,
    now: OffsetDateTime,
) -> StoreResult<bool> {
    let sql = "update auth.flow_state set user_id = $2, auth_code = $3, auth_code_issued_at = $4, \
               updated_at = $4, provider_access_token = $5, provider_refresh_token = $6 \
               where id = $1 and auth_code is null";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(user_id.0)
        .bind(sha256_hex(code))
        .bind(now)
        .bind(&tokens.access_token)
        .bind(&tokens.refresh_token)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

macro_rules! columns {
    () => {
        "id, user_id, code_challenge_method::text as method, code_challenge, provider_type, \
         authentication_method, auth_code_issued_at, created_at, linking_target_id, referrer, \
         browser_hash, provider_access_token, provider_refresh_token"
    };
}

/// The sign-in with this id.
pub async fn find(connection: &mut PgConnection, id: Uuid) -> StoreResult<Option<FlowState>> {
    let sql = concat!("select ", columns!(), " from auth.flow_state where id = $1");
    let row = sqlx::query(sql).bind(id).fetch_optional(connection).await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// The sign-in of a code, which nobody else takes until the transaction ends.
pub async fn find_by_code(
    connection: &mut PgConnection,
    code: &str,
) -> StoreResult<Option<FlowState>> {
    let sql = concat!(
        "select ",
        columns!(),
        " from auth.flow_state where auth_code = $1 for update"
    );
    let row = sqlx::query(sql)
        .bind(sha256_hex(code))
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// Notes that a sign-in came back from its provider; answers whether it had not before.
pub async fn consume(
    connection: &mut PgConnection,
    id: Uuid,
    now: OffsetDateTime,
) -> StoreResult<bool> {
    let sql = "update auth.flow_state set consumed_at = $2 where id = $1 and consumed_at is null";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a sign-in: it has ended. Answers whether it was there.
pub async fn delete(connection: &mut PgConnection, id: Uuid) -> StoreResult<bool> {
    let done = sqlx::query("delete from auth.flow_state where id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a sign-in as [`delete`] does, and answers its row, to be put back.
pub async fn take(connection: &mut PgConnection, id: Uuid) -> StoreResult<Option<Value>> {
    let sql = "delete from auth.flow_state f where id = $1 returning to_jsonb(f)";
    let row = sqlx::query_scalar(sql).bind(id);
    Ok(row.fetch_optional(connection).await?)
}

/// Puts a row back that [`take`] answered.
pub async fn put_back(connection: &mut PgConnection, row: &Value) -> StoreResult<()> {
    let sql = "insert into auth.flow_state \
               select (jsonb_populate_record(null::auth.flow_state, $1)).* on conflict do nothing";
    sqlx::query(sql).bind(row).execute(connection).await?;
    Ok(())
}

/// Removes up to `limit` sign-ins that began before `began_before`; answers how many.
pub async fn delete_old(
    connection: &mut PgConnection,
    began_before: OffsetDateTime,
    limit: i64,
) -> StoreResult<u64> {
    let sql = "delete from auth.flow_state where id in (select id from auth.flow_state \
               where created_at < $1 limit $2 for update skip locked)";
    let done = sqlx::query(sql)
        .bind(began_before)
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &PgRow) -> sqlx::Result<FlowState> {
    let method: Option<String> = row.try_get("method")?;
    let method = method.as_deref().and_then(ChallengeMethod::from_name);
    let challenge: Option<String> = row.try_get("code_challenge")?;
    let user_id: Option<Uuid> = row.try_get("user_id")?;
    let linking_target: Option<Uuid> = row.try_get("linking_target_id")?;
    Ok(FlowState {
        id: row.try_get("id")?,
        user_id: user_id.map(UserId),
        challenge: method
            .zip(challenge)
            .map(|(method, challenge)| CodeChallenge { method, challenge }),
        provider: row.try_get("provider_type")?,
        method: row.try_get("authentication_method")?,
        code_issued_at: row.try_get("auth_code_issued_at")?,
        created_at: row.try_get("created_at")?,
        linking_target: linking_target.map(UserId),
        redirect_to: row.try_get("referrer")?,
        browser_hash: row.try_get("browser_hash")?,
        provider_tokens: ProviderTokens {
            access_token: row.try_get("provider_access_token")?,
            refresh_token: row.try_get("provider_refresh_token")?,
        },
    })
}
