//! `auth.refresh_tokens`.

use pg::sqlx::postgres::PgRow;
use pg::sqlx::{self, PgConnection, Row as _};
use time::OffsetDateTime;

use crate::domain::ids::{SessionId, UserId};
use crate::domain::refresh_token::{StoredToken, TokenDigest};
use crate::store::StoreResult;

/// Stores a token of a session, by its digest.
pub async fn insert(
    connection: &mut PgConnection,
    session: (SessionId, UserId),
    digest: &TokenDigest,
    parent: Option<&TokenDigest>,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "insert into auth.refresh_tokens (instance_id, session_id, user_id, token, parent, \
               revoked, created_at, updated_at) \
               values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, false, $5, $5)";
    let (session_id, user_id) = session;
    sqlx::query(sql)
        .bind(session_id.0)
        .bind(user_id.to_string())
        .bind(&digest.0)
        .bind(parent.map(|parent| &parent.0))
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// The session that a token belongs to, whether the token is still good or not.
pub async fn find_session(
    connection: &mut PgConnection,
    digest: &TokenDigest,
) -> StoreResult<Option<SessionId>> {
    let row = sqlx::query(
        "select session_id from auth.refresh_tokens where token = $1 and session_id is not null",
    )
    .bind(&digest.0)
    .fetch_optional(connection)
    .await?;
    let id = row.map(|row| row.try_get(0)).transpose()?;
    Ok(id.map(SessionId))
}

/// A session's token with this digest.
pub async fn find(
    connection: &mut PgConnection,
    session_id: SessionId,
    digest: &TokenDigest,
) -> StoreResult<Option<StoredToken>> {
    let row = sqlx::query(
        "select token, parent, revoked, updated_at from auth.refresh_tokens \
         where session_id = $1 and token = $2",
    )
    .bind(session_id.0)
    .bind(&digest.0)
    .fetch_optional(connection)
    .await?;
    Ok(row.as_ref().map(read_token).transpose()?)
}

/// A session's token that is good.
pub async fn find_active(
    connection: &mut PgConnection,
    session_id: SessionId,
) -> StoreResult<Option<StoredToken>> {
    let row = sqlx::query(
        "select token, parent, revoked, updated_at from auth.refresh_tokens \
         where session_id = $1 and not revoked order by id desc limit 1",
    )
    .bind(session_id.0)
    .fetch_optional(connection)
    .await?;
    Ok(row.as_ref().map(read_token).transpose()?)
}

/// Revokes every good token of a session.
pub async fn revoke_all(
    connection: &mut PgConnection,
    session_id: SessionId,
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query(
        "update auth.refresh_tokens set revoked = true, updated_at = $2 \
         where session_id = $1 and revoked is not true",
    )
    .bind(session_id.0)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes up to `limit` tokens that were revoked before `revoked_before`; answers how many.
pub async fn delete_revoked(
    connection: &mut PgConnection,
    revoked_before: OffsetDateTime,
    limit: i64,
) -> StoreResult<u64> {
    let sql = "delete from auth.refresh_tokens where id in (select id from auth.refresh_tokens \
               where updated_at < $1 and revoked limit $2 for update skip locked)";
    let done = sqlx::query(sql)
        .bind(revoked_before)
        .bind(limit)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn read_token(row: &PgRow) -> sqlx::Result<StoredToken> {
    let parent: Option<String> = row.try_get("parent")?;
    let revoked: Option<bool> = row.try_get("revoked")?;
    let updated_at: Option<OffsetDateTime> = row.try_get("updated_at")?;
    Ok(StoredToken {
        digest: TokenDigest(row.try_get("token")?),
        parent: parent.map(TokenDigest),
        revoked: revoked.unwrap_or_default(),
        updated_at: updated_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
    })
}
