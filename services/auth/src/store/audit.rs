//! `auth.audit_log_entries`.

use std::net::IpAddr;

use pg::sqlx::{self, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::audit::AuditEntry;
use crate::store::StoreResult;

/// Records an event.
pub async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    entry: &AuditEntry,
    ip: IpAddr,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "insert into auth.audit_log_entries (instance_id, id, payload, created_at, \
               ip_address) values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4)";
    sqlx::query(sql)
        .bind(id)
        .bind(sqlx::types::Json(entry.payload()))
        .bind(now)
        .bind(ip.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// An event as recorded.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// The entry's id.
    pub id: Uuid,
    /// What happened.
    pub payload: Value,
    /// When.
    pub created_at: OffsetDateTime,
    /// From where.
    pub ip_address: String,
}

/// Which events to list.
#[derive(Debug, Clone)]
pub enum AuditFilter {
    /// Those of whom the name has this text in it.
    Author(String),
    /// Those of an action.
    Action(String),
    /// Those of a kind of action.
    Type(String),
}

impl AuditFilter {
    /// The three parameters of the statements: one is set.
    fn parameters(filter: Option<&Self>) -> [Option<&str>; 3] {
        match filter {
            None => [None; 3],
            Some(Self::Author(text)) => [Some(text), None, None],
            Some(Self::Action(text)) => [None, Some(text), None],
            Some(Self::Type(text)) => [None, None, Some(text)],
        }
    }
}

/// Events, the latest first.
pub async fn list(
    connection: &mut PgConnection,
    filter: Option<&AuditFilter>,
    limit: i64,
    offset: i64,
) -> StoreResult<Vec<AuditRow>> {
    let sql = "select id, payload::jsonb as payload, created_at, ip_address \
               from auth.audit_log_entries where ($1::text is null or \
               strpos(lower(payload ->> 'actor_username'), lower($1)) > 0 or \
               strpos(lower(payload ->> 'actor_name'), lower($1)) > 0) \
               and ($2::text is null or payload ->> 'action' = $2) \
               and ($3::text is null or payload ->> 'log_type' = $3) \
               order by created_at desc, id limit $4 offset $5";
    let [author, action, kind] = AuditFilter::parameters(filter);
    let rows = sqlx::query(sql)
        .bind(author)
        .bind(action)
        .bind(kind)
        .bind(limit)
        .bind(offset)
        .fetch_all(connection)
        .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let payload: Option<Value> = row.try_get("payload")?;
        let created_at: Option<OffsetDateTime> = row.try_get("created_at")?;
        Ok::<_, sqlx::Error>(AuditRow {
            id: row.try_get("id")?,
            payload: payload.unwrap_or_default(),
            created_at: created_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            ip_address: row.try_get("ip_address")?,
        })
    };
    Ok(rows.iter().map(read).collect::<sqlx::Result<_>>()?)
}

/// How many events there are.
pub async fn count(
    connection: &mut PgConnection,
    filter: Option<&AuditFilter>,
) -> StoreResult<i64> {
    let sql = "select count(*) from auth.audit_log_entries where ($1::text is null or \
               strpos(lower(payload ->> 'actor_username'), lower($1)) > 0 or \
               strpos(lower(payload ->> 'actor_name'), lower($1)) > 0) \
               and ($2::text is null or payload ->> 'action' = $2) \
               and ($3::text is null or payload ->> 'log_type' = $3)";
    let [author, action, kind] = AuditFilter::parameters(filter);
    let row = sqlx::query(sql)
        .bind(author)
        .bind(action)
        .bind(kind)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}
