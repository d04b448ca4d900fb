//! What the server says on a channel, as frames.

use serde_json::json;

use crate::protocol::text::{self, Envelope, quoted};
use crate::protocol::{Reference, TOPIC_PREFIX, Version};
use crate::wire::Wire;

/// The message a reply answers.
#[derive(Debug, Clone)]
pub struct Request {
    /// The join it belongs to.
    pub join_ref: Option<Reference>,
    /// Its own reference.
    pub reference: Option<Reference>,
    /// The channel's topic.
    pub topic: String,
}

/// How a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Ok,
    /// It was refused.
    Error,
}

impl Request {
    /// A reply whose response is the JSON text `response`.
    pub fn reply(&self, version: Version, status: Status, response: &str) -> Wire {
        let status = match status {
            Status::Ok => "ok",
            Status::Error => "error",
        };
        let envelope = Envelope {
            join_ref: self.join_ref.as_ref(),
            reference: self.reference.as_ref(),
            topic: &self.topic,
            event: "phx_reply",
        };
        let payload = format!(r#"{{"status":"{status}","response":{response}}}"#);
        Wire::text(text::encode(version, &envelope, &payload))
    }

    /// A reply with nothing to say but that it went well.
    pub fn ok(&self, version: Version) -> Wire {
        self.reply(version, Status::Ok, "{}")
    }

    /// A refusal that programs know by a name.
    pub fn refuse_as(&self, version: Version, code: &str, reason: &str) -> Wire {
        let response = json!({ "reason": reason, "error": code });
        self.reply(version, Status::Error, &response.to_string())
    }

    /// A refusal.
    pub fn refuse(&self, version: Version, reason: &str) -> Wire {
        let response = format!(r#"{{"reason":{}}}"#, quoted(reason));
        self.reply(version, Status::Error, &response)
    }
}

/// How a channel ends without the client asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// For good: the client does not join again by itself.
    Close,
    /// For now: the client joins again.
    Error,
}

impl Ending {
    /// The message that ends the channel joined with `join_ref`.
    pub fn message(self, version: Version, topic: &str, join_ref: Option<&Reference>) -> Wire {
        let event = match self {
            Self::Close => "phx_close",
            Self::Error => "phx_error",
        };
        let envelope = Envelope {
            join_ref,
            reference: join_ref,
            topic,
            event,
        };
        Wire::text(text::encode(version, &envelope, "{}"))
    }
}

/// A `system` event: `extension` is `postgres_changes` or `system`.
pub fn system(
    version: Version,
    topic: &str,
    extension: &str,
    (status, message): (Status, &str),
) -> Wire {
    let status = match status {
        Status::Ok => "ok",
        Status::Error => "error",
    };
    let channel = topic.strip_prefix(TOPIC_PREFIX).unwrap_or(topic);
    let payload = json!({
        "extension": extension,
        "status": status,
        "message": message,
        "channel": channel,
    });
    crate::topics::event_frame(version, topic, "system", &payload.to_string())
}
