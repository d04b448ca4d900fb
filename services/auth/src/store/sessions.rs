//! `auth.sessions` and `auth.mfa_amr_claims`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, PgConnection, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{Aal, Client, Method, MethodReference, NewSession, Session};
use crate::store::StoreResult;

/// Longer `User-Agent` headers are cut here, in characters.
const MAX_USER_AGENT: usize = 512;

/// Stores a new session and how it was authenticated.
pub async fn insert(
    connection: &mut PgConnection,
    session: &NewSession,
    method: Method,
    claim_id: Uuid,
) -> StoreResult<()> {
    let sql = "with opened as ( \
                 insert into auth.sessions (id, user_id, created_at, updated_at, aal, \
                   refresh_token_hmac_key, refresh_token_counter, ip, user_agent) \
                 values ($1, $2, $3, $3, 'aal1', $4, 1, $5::inet, $6) returning id) \
               insert into auth.mfa_amr_claims (id, session_id, authentication_method, \
                 created_at, updated_at) \
               select $7, opened.id, $8, $3, $3 from opened";
    sqlx::query(sql)
        .bind(session.id.0)
        .bind(session.user_id.0)
        .bind(session.created_at)
        .bind(&session.token_salt)
        .bind(session.client.ip.to_string())
        .bind(user_agent(&session.client))
        .bind(claim_id)
        .bind(method.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The session with this id.
pub async fn find(connection: &mut PgConnection, id: SessionId) -> StoreResult<Option<Session>> {
    let Some(row) = sqlx::query(
        "select s.id, s.user_id, s.created_at, s.refreshed_at, s.not_after, s.aal::text as aal, \
         s.refresh_token_hmac_key, s.refresh_token_counter, \
         array(select c.authentication_method from auth.mfa_amr_claims c \
               where c.session_id = s.id order by c.updated_at desc) as methods, \
         array(select floor(extract(epoch from c.updated_at))::bigint from auth.mfa_amr_claims c \
               where c.session_id = s.id order by c.updated_at desc) as method_times \
         from auth.sessions s where s.id = $1",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await?
    else {
        return Ok(None);
    };
    Ok(Some(read_session(&row)?))
}

/// Makes everybody else who wants to change this session wait until the transaction ends; answers
/// whether there is such a session.
pub async fn lock(connection: &mut PgConnection, id: SessionId) -> StoreResult<bool> {
    let row = sqlx::query("select 1 from auth.sessions where id = $1 for update")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Notes that a session was refreshed now, from where, and its active token's generation.
pub async fn update_refreshed(
    connection: &mut PgConnection,
    id: SessionId,
    generation: i64,
    client: &Client,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.sessions set refreshed_at = $2, updated_at = $2, \
               refresh_token_counter = $3, ip = $4::inet, user_agent = $5 where id = $1";
    sqlx::query(sql)
        .bind(id.0)
        .bind(now)
        .bind(generation)
        .bind(client.ip.to_string())
        .bind(user_agent(client))
        .execute(connection)
        .await?;
    Ok(())
}

/// Which sessions of a user end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of them.
    All,
    /// This one.
    Only(SessionId),
    /// All but this one.
    AllBut(SessionId),
}

/// Ends sessions of a user; their refresh tokens go with them.
pub async fn delete(
    connection: &mut PgConnection,
    user_id: UserId,
    ending: Ending,
) -> StoreResult<()> {
    let sql = "delete from auth.sessions where user_id = $1 \
               and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3)";
    let (only, all_but) = match ending {
        Ending::All => (None, None),
        Ending::Only(id) => (Some(id.0), None),
        Ending::AllBut(id) => (None, Some(id.0)),
    };
    sqlx::query(sql)
        .bind(user_id.0)
        .bind(only)
        .bind(all_but)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes up to `limit` sessions that ended before `ended_before`; answers how many.
pub async fn delete_ended(
    connection: &mut PgConnection,
    ended_before: OffsetDateTime,
    limit: i64,
) -> StoreResult<u64> {
    let sql = "delete from auth.sessions where id in (select id from auth.sessions \
               where not_after < $1 limit $2 for update skip locked)";
    let done = sqlx::query(sql)
        .bind(ended_before)
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn read_session(row: &PgRow) -> sqlx::Result<Session> {
    let created_at: Option<OffsetDateTime> = row.try_get("created_at")?;
    let token_salt: Option<String> = row.try_get("refresh_token_hmac_key")?;
    let generation: Option<i64> = row.try_get("refresh_token_counter")?;
    let methods: Vec<String> = row.try_get("methods")?;
    let method_times: Vec<i64> = row.try_get("method_times")?;
    let aal: Option<String> = row.try_get("aal")?;
    let methods = methods.into_iter().zip(method_times);
    Ok(Session {
        id: SessionId(row.try_get("id")?),
        user_id: UserId(row.try_get("user_id")?),
        created_at: created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
        refreshed_at: row.try_get("refreshed_at")?,
        not_after: row.try_get("not_after")?,
        token_salt: token_salt.unwrap_or_default(),
        generation: generation.unwrap_or_default(),
        methods: methods
            .map(|(method, timestamp)| MethodReference { method, timestamp })
            .collect(),
        aal: Aal::from_name(aal.as_deref()),
    })
}

fn user_agent(client: &Client) -> Option<String> {
    let user_agent = client.user_agent.as_ref()?;
    Some(user_agent.chars().take(MAX_USER_AGENT).collect())
}
