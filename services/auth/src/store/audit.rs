//! `auth.audit_log_entries`.

use std::net::IpAddr;

use pg::sqlx::{self, PgConnection};
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
