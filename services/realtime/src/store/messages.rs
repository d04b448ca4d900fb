//! `realtime.messages`: the table whose policies decide over private topics.

use std::sync::Arc;

use pg::sqlx::{self, Error, PgConnection, PgPool, Row as _};

use crate::broadcast::{Broadcast, Topic};
use crate::persistence::Keeping;
use crate::protocol::text::quoted;
use crate::protocol::{BroadcastBody, Version};
use crate::topics::stored_frame;
use crate::wire::Wire;

/// The schema and name of the table.
pub const TABLE: (&str, &str) = ("realtime", "messages");

/// Tells policies which topic is asked about, for the rest of the transaction: what
/// `realtime.topic()` answers.
pub async fn set_topic(connection: &mut PgConnection, topic: &str) -> Result<(), Error> {
    sqlx::query("select pg_catalog.set_config('realtime.topic', $1, true)")
        .bind(topic)
        .execute(connection)
        .await
        .map(drop)
}

/// A message from before a client joined.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The row's id.
    pub id: Arc<str>,
    /// The message.
    pub broadcast: Broadcast,
}

impl Replayed {
    /// The frame, marked as told again; `None` where the version has none for it.
    pub fn frame(&self, version: Version, topic: &str) -> Option<Wire> {
        let meta = format!(r#"{{"replayed":true,"id":{}}}"#, quoted(&self.id));
        stored_frame(version, topic, &self.broadcast, &meta)
    }
}

/// The last `limit` private messages to `topic` since `since` (milliseconds since 1970), oldest
/// first, that the current role may read.
pub async fn replay(
    connection: &mut PgConnection,
    topic: &str,
    since: i64,
    limit: i64,
) -> Result<Vec<Replayed>, Error> {
    let sql = "select id::text, event, payload::text, binary_payload from realtime.messages \
         where topic = $1 and private and extension = 'broadcast' \
           and (expires_at is null or expires_at > now() at time zone 'utc') \
           and inserted_at >= timestamp '1970-01-01' + $2 * interval '1 millisecond' \
         order by inserted_at desc limit $3";
    let rows = sqlx::query(sql)
        .bind(topic)
        .bind(since)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let message = |row: &sqlx::postgres::PgRow| {
        let id: String = row.try_get(0)?;
        let event: Option<String> = row.try_get(1)?;
        let payload: Option<String> = row.try_get(2)?;
        let binary: Option<Vec<u8>> = row.try_get(3)?;
        let json = || BroadcastBody::Json(payload.unwrap_or_else(|| "null".to_owned()).into());
        let id: Arc<str> = id.into();
        let broadcast = Broadcast {
            topic: Topic {
                name: topic.into(),
                private: true,
            },
            event: event.unwrap_or_default(),
            body: binary.map_or_else(json, |bytes| BroadcastBody::Binary(bytes.into())),
            meta: None,
            sender: None,
            id: Some(Arc::clone(&id)),
        };
        Ok(Replayed { id, broadcast })
    };
    rows.iter().rev().map(message).collect()
}

/// Keeps a message that was told already, under its id.
pub async fn insert(pool: &PgPool, broadcast: &Broadcast, keeping: Keeping) -> Result<(), Error> {
    let (json, binary) = match &broadcast.body {
        BroadcastBody::Json(json) => (std::str::from_utf8(json).ok(), None),
        BroadcastBody::Binary(bytes) => (None, Some(&bytes[..])),
    };
    let sql = "insert into realtime.messages \
         (id, topic, extension, event, payload, binary_payload, private, skip_broadcast, expires_at) \
         values ($1::uuid, $2, 'broadcast', $3, $4::jsonb, $5, true, true, \
                 now() at time zone 'utc' + $6 * interval '1 second')";
    sqlx::query(sql)
        .bind(broadcast.id.as_deref())
        .bind(&*broadcast.topic.name)
        .bind(&broadcast.event)
        .bind(json)
        .bind(binary)
        .bind(keeping.0)
        .execute(pool)
        .await
        .map(drop)
}

/// Deletes messages older than `days`, and those that were to be kept for less time; answers how
/// many.
pub async fn delete_older(pool: &PgPool, days: i32) -> Result<u64, Error> {
    let sql = "delete from realtime.messages \
         where inserted_at < now() - make_interval(days => $1) \
            or expires_at < now() at time zone 'utc'";
    let done = sqlx::query(sql).bind(days).execute(pool).await?;
    Ok(done.rows_affected())
}
