//! The payload of `phx_join`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// What a client asks for when it joins a channel. Members that are missing or null have their
/// defaults; unknown ones are passed over.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JoinRequest {
    /// What the channel is to do.
    #[serde(default, deserialize_with = "or_default")]
    pub config: JoinConfig,
    /// Who joins, where that is not who connected.
    #[serde(default, alias = "user_token")]
    pub access_token: Option<String>,
}

/// What a channel does.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JoinConfig {
    /// How broadcasts are handled.
    #[serde(default, deserialize_with = "or_default")]
    pub broadcast: BroadcastConfig,
    /// How presence is handled.
    #[serde(default, deserialize_with = "or_default")]
    pub presence: PresenceConfig,
    /// The changes to hear of, in the order the reply must have.
    #[serde(default, deserialize_with = "or_default")]
    pub postgres_changes: Vec<ChangeRequest>,
    /// Whether policies on `realtime.messages` decide who receives and sends.
    #[serde(default, deserialize_with = "or_default")]
    pub private: bool,
    /// SelfDB's own: the last `resume_token` the client has seen. What was committed after it is
    /// told before anything else.
    #[serde(default)]
    pub resume: Option<String>,
}

/// How broadcasts are handled.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BroadcastConfig {
    /// Whether each broadcast is answered.
    #[serde(default, deserialize_with = "or_default")]
    pub ack: bool,
    /// Whether the sender hears its own broadcasts.
    #[serde(default, rename = "self", deserialize_with = "or_default")]
    pub echo: bool,
    /// Whether the client is told when messages from SQL will be heard.
    #[serde(default, deserialize_with = "or_default")]
    pub replication_ready: bool,
    /// Which messages from before the join are told; not looked into yet.
    #[serde(default)]
    pub replay: Option<Box<RawValue>>,
}

/// Which messages from before the join are told: the last of those after a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ReplayRequest {
    /// The moment, in milliseconds since 1970.
    #[serde(default, deserialize_with = "or_default")]
    pub since: i64,
    /// How many at most; 10 where missing, and never more than 25.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// How presence is handled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PresenceConfig {
    /// The name this client is present under; a random one where it is empty.
    #[serde(default, deserialize_with = "or_default")]
    pub key: String,
    /// Whether the client hears of presence. Clients from before the switch existed always do.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Changes a client wants to hear of. The reply echoes it member for member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub struct ChangeRequest {
    /// `INSERT`, `UPDATE`, `DELETE` or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// A schema, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// A table; missing or `*` for all of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Conditions on columns, as in `id=eq.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The columns to send; all of them where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Vec<String>>,
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_null_members_have_defaults() {
        for payload in [
            "{}",
            r#"{"config":null}"#,
            r#"{"config":{"broadcast":null,"postgres_changes":null,"private":null}}"#,
        ] {
            let request: JoinRequest = serde_json::from_str(payload).expect("a join");
            let (found, expected) = (format!("{request:?}"), JoinRequest::default());
            assert_eq!(found, format!("{expected:?}"), "{payload}");
        }
    }

    #[test]
    fn a_stock_clients_join_is_read_whole() {
        let payload = r#"{"config":{"broadcast":{"ack":true,"self":true},"presence":{"key":"me","enabled":false},
            "postgres_changes":[{"event":"*","schema":"public","table":"todos","filter":"id=eq.1"}],"private":true},
            "access_token":"a.b.c","version":"realtime-js/2"}"#;
        let request: JoinRequest = serde_json::from_str(payload).expect("a join");
        assert!(request.config.broadcast.ack && request.config.broadcast.echo);
        assert!(request.config.private);
        assert_eq!(request.config.presence.enabled, Some(false));
        let change = serde_json::to_string(&request.config.postgres_changes[0]).expect("json");
        assert_eq!(
            change,
            r#"{"event":"*","schema":"public","table":"todos","filter":"id=eq.1"}"#
        );
    }
}
