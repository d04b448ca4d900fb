//! What is said on the replication connection before the stream starts. Its simple protocol has
//! no parameters: what stands in the text is a number or a name of ours.

use pg::sqlx::{self, PgPool, Row as _};
use pgwire_replication::{Lsn, PgWireError, QueryRow, ReplicationClient};

use crate::replication::slot::{SlotName, SlotRow};

type Result<T> = std::result::Result<T, PgWireError>;

/// The advisory lock of the one process that reads the slot ("rt" and "sl" in ASCII). Advisory
/// locks are a database's own.
const LEADER_LOCK: (i32, i32) = (0x7274, 0x736c);

/// The name of the slot of the pool's database.
pub async fn slot_name(pool: &PgPool) -> std::result::Result<SlotName, sqlx::Error> {
    let sql = "select oid::int8 from pg_database where datname = current_database()";
    let oid: i64 = sqlx::query_scalar(sql).fetch_one(pool).await?;
    Ok(SlotName::of_database(oid))
}

/// How the slot stands, as seen from an ordinary connection.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotHealth {
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub wal_status: String,
    /// The log its reader has not confirmed yet, in bytes.
    pub lag_bytes: f64,
    /// The log that is kept for it, in bytes.
    pub kept_bytes: f64,
    /// What can still be written before it is lost, in bytes; `None` where there is no limit.
    pub left_bytes: Option<f64>,
}

/// How the slot stands; `None` where there is none.
pub async fn slot_health(
    pool: &PgPool,
    slot: &SlotName,
) -> std::result::Result<Option<SlotHealth>, sqlx::Error> {
    let sql = "select coalesce(wal_status, ''), \
           coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::float8, \
           coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8, \
           safe_wal_size::float8 \
         from pg_replication_slots where slot_name = $1";
    let row = sqlx::query(sql)
        .bind(slot.as_str())
        .fetch_optional(pool)
        .await?;
    let health = row.map(|row| {
        Ok(SlotHealth {
            wal_status: row.try_get(0)?,
            lag_bytes: row.try_get(1)?,
            kept_bytes: row.try_get(2)?,
            left_bytes: row.try_get(3)?,
        })
    });
    health.transpose()
}

/// Ends connections of this process that the server still thinks alive, so that they hold neither
/// lock nor slot. `instance` is this process' application name: letters, digits, `-` and `/`.
pub async fn end_earlier_sessions(client: &mut ReplicationClient, instance: &str) -> Result<()> {
    let sql = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where application_name = '{instance}' and usename = current_user \
         and pid <> pg_backend_pid()"
    );
    client.simple_query(&sql).await.map(drop)
}

/// Tries to become the leader; the lock ends with the connection.
pub async fn try_lead(client: &mut ReplicationClient) -> Result<bool> {
    let (class, object) = LEADER_LOCK;
    let sql = format!("select pg_try_advisory_lock({class}, {object})::text");
    Ok(one_text(client, &sql).await? == "true")
}

/// The limit of the log that slots may hold back, as Postgres writes it; `-1` is none.
pub async fn kept_log_limit(client: &mut ReplicationClient) -> Result<String> {
    let sql = "select current_setting('max_slot_wal_keep_size')";
    one_text(client, sql).await
}

/// Whether the publication exists.
pub async fn publication_exists(client: &mut ReplicationClient, name: &str) -> Result<bool> {
    let name = name.replace('\'', "''");
    let sql = format!("select 1 from pg_publication where pubname = '{name}'");
    Ok(!client.simple_query(&sql).await?.is_empty())
}

/// The state of the slot; `None` where there is none.
pub async fn find_slot(client: &mut ReplicationClient, slot: &SlotName) -> Result<Option<SlotRow>> {
    let sql = format!(
        "select coalesce(wal_status, ''), coalesce(confirmed_flush_lsn::text, '0/0') \
         from pg_replication_slots where slot_name = '{slot}'"
    );
    let rows = client.simple_query(&sql).await?;
    rows.into_iter().next().map(slot_row).transpose()
}

/// Makes the slot. Waits until every transaction that is open now has ended.
pub async fn create_slot(client: &mut ReplicationClient, slot: &SlotName) -> Result<()> {
    let command = format!("CREATE_REPLICATION_SLOT {slot} LOGICAL pgoutput NOEXPORT_SNAPSHOT");
    client.simple_query(&command).await.map(drop)
}

/// Drops the slot; an error where somebody reads it.
pub async fn drop_slot(client: &mut ReplicationClient, slot: &SlotName) -> Result<()> {
    let command = format!("DROP_REPLICATION_SLOT {slot}");
    client.simple_query(&command).await.map(drop)
}

fn slot_row(row: QueryRow) -> Result<SlotRow> {
    let mut texts = row.into_iter().map(|column| {
        let bytes = column.unwrap_or_default();
        String::from_utf8(bytes.into()).unwrap_or_default()
    });
    let wal_status = texts.next().unwrap_or_default();
    let confirmed = texts.next().unwrap_or_default();
    let confirmed = Lsn::parse(&confirmed).map_err(|_| unexpected("a position"))?;
    Ok(SlotRow {
        wal_status,
        confirmed: confirmed.as_u64(),
    })
}

async fn one_text(client: &mut ReplicationClient, sql: &str) -> Result<String> {
    let rows = client.simple_query(sql).await?;
    let column = rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    let bytes = column.flatten().ok_or_else(|| unexpected("one value"))?;
    String::from_utf8(bytes.into()).map_err(|_| unexpected("text"))
}

fn unexpected(what: &str) -> PgWireError {
    PgWireError::Protocol(format!("the server did not answer {what}"))
}
