//! The messages of SelfDB's own socket, `/api/v1/realtime/ws`: JSON objects told apart by `type`.

use serde::{Deserialize, Serialize};

/// What a client of SelfDB's socket sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SelfDbRequest {
    /// Says who is there: a user's access token or an API key. Comes first.
    Authenticate {
        /// The token or key.
        token: String,
    },
    /// Asks for the changes of one table.
    Subscribe {
        /// The client's own name for the subscription.
        subscription_id: String,
        /// What to subscribe to.
        data: SelfDbTarget,
        /// The last `resume_token` the client has seen: what followed is told first.
        #[serde(default)]
        resume: Option<String>,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// The name it was given.
        subscription_id: String,
    },
    /// Asks whether anyone is there.
    Ping,
}

/// What a subscription is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SelfDbTarget {
    /// `table` (of schema `public`) or `schema.table`.
    pub table: String,
}

impl SelfDbTarget {
    /// The schema and the table.
    pub fn schema_and_table(&self) -> (&str, &str) {
        self.table
            .split_once('.')
            .unwrap_or(("public", &self.table))
    }
}

/// What the server answers, but for changes, which are written where they are fanned out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SelfDbReply<'a> {
    /// The client is known from here on.
    Connected {
        /// The user's id; null for an API key.
        user_id: Option<&'a str>,
    },
    /// The next commit to the table will be seen.
    Subscribed {
        /// The client's name for the subscription.
        subscription_id: &'a str,
        /// How it goes on from the token the client gave.
        #[serde(skip_serializing_if = "Option::is_none")]
        resume: Option<&'a str>,
        /// The token of what comes next.
        #[serde(skip_serializing_if = "Option::is_none")]
        resume_token: Option<String>,
    },
    /// No more changes come for this subscription.
    Unsubscribed {
        /// The client's name for the subscription.
        subscription_id: &'a str,
    },
    /// Someone is there.
    Pong,
    /// Something was refused or ended.
    Error {
        /// The subscription it is about, if it is about one.
        #[serde(skip_serializing_if = "Option::is_none")]
        subscription_id: Option<&'a str>,
        /// What is wrong.
        message: &'a str,
    },
}

impl SelfDbReply<'_> {
    /// The frame's text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_type() {
        let read = |text| serde_json::from_str::<SelfDbRequest>(text).ok();
        assert_eq!(read(r#"{"type":"ping"}"#), Some(SelfDbRequest::Ping));
        let subscribe =
            read(r#"{"type":"subscribe","subscription_id":"s","data":{"table":"a.b"}}"#);
        let Some(SelfDbRequest::Subscribe { data, .. }) = subscribe else {
            panic!("a subscription");
        };
        assert_eq!(data.schema_and_table(), ("a", "b"));
        let unsubscribe =
            read(r#"{"type":"unsubscribe","subscription_id":"s","data":{"table":"b"}}"#);
        assert!(unsubscribe.is_some());
        assert_eq!(read(r#"{"type":"drop"}"#), None);
    }

    #[test]
    fn replies_have_the_documented_shape() {
        let connected = SelfDbReply::Connected { user_id: None };
        assert_eq!(
            connected.to_text(),
            r#"{"type":"connected","user_id":null}"#
        );
    }
}
