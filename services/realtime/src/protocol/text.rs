//! Text frames: objects in 1.0.0, arrays of five in 2.0.0.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::push::{BroadcastBody, ClientMessage, ClientPayload, FrameError};
use super::{Reference, Version};

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    join_ref: Option<Reference>,
    #[serde(default, rename = "ref")]
    reference: Option<Reference>,
    topic: String,
    event: String,
    payload: Box<RawValue>,
}

type Array = (
    Option<Reference>,
    Option<Reference>,
    String,
    String,
    Box<RawValue>,
);

/// Reads a text frame of `version`.
pub fn decode(version: Version, frame: &str) -> Result<ClientMessage, FrameError> {
    let object = match version {
        Version::V1 => serde_json::from_str::<Object>(frame),
        Version::V2 => serde_json::from_str::<Array>(frame).map(
            |(join_ref, reference, topic, event, payload)| Object {
                join_ref,
                reference,
                topic,
                event,
                payload,
            },
        ),
    };
    let object = object.map_err(|_| FrameError::Text)?;
    Ok(ClientMessage {
        join_ref: object.join_ref,
        reference: object.reference,
        topic: object.topic,
        event: object.event,
        payload: ClientPayload::Json(object.payload),
    })
}

/// Where a message goes and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The join it belongs to; clients drop messages of an older join.
    pub join_ref: Option<&'a Reference>,
    /// The message it answers.
    pub reference: Option<&'a Reference>,
    /// The channel's topic.
    pub topic: &'a str,
    /// The event's name.
    pub event: &'a str,
}

/// A text frame whose payload is the JSON text `payload`.
pub fn encode(version: Version, envelope: &Envelope<'_>, payload: &str) -> String {
    let null = |reference: Option<&Reference>| {
        reference.map_or_else(|| "null".to_owned(), |text| text.as_json().to_owned())
    };
    let (join_ref, reference) = (null(envelope.join_ref), null(envelope.reference));
    let (topic, event) = (quoted(envelope.topic), quoted(envelope.event));
    match version {
        Version::V1 => format!(
            r#"{{"topic":{topic},"event":{event},"payload":{payload},"ref":{reference},"join_ref":{join_ref}}}"#
        ),
        Version::V2 => format!("[{join_ref},{reference},{topic},{event},{payload}]"),
    }
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The payload of a broadcast in a text frame; `None` where the body is binary, which text frames
/// cannot carry.
pub fn broadcast_payload(event: &str, body: &BroadcastBody, meta: Option<&str>) -> Option<String> {
    let BroadcastBody::Json(body) = body else {
        return None;
    };
    let body = std::str::from_utf8(body).ok()?;
    let event = quoted(event);
    let meta = meta.map_or_else(String::new, |meta| format!(r#","meta":{meta}"#));
    Some(format!(
        r#"{{"type":"broadcast","event":{event},"payload":{body}{meta}}}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOIN: &str = r#"{"topic":"realtime:room","event":"phx_join","payload":{"config":{}},"ref":"1","join_ref":"1"}"#;

    #[test]
    fn both_versions_read_the_same_message() {
        let array = r#"["1","1","realtime:room","phx_join",{"config":{}}]"#;
        for (version, frame) in [(Version::V1, JOIN), (Version::V2, array)] {
            let message = ClientMessage::from_text(version, frame).expect("a message");
            assert_eq!(message.topic, "realtime:room");
            assert_eq!(message.event, "phx_join");
            assert_eq!(message.reference, Reference::from_text("1"));
            assert!(
                matches!(message.payload, ClientPayload::Json(raw) if raw.get() == r#"{"config":{}}"#)
            );
        }
    }

    #[test]
    fn references_come_back_with_the_type_they_had() {
        let frame = r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":7}"#;
        let message = ClientMessage::from_text(Version::V1, frame).expect("a message");
        let envelope = Envelope {
            join_ref: None,
            reference: message.reference.as_ref(),
            topic: "phoenix",
            event: "phx_reply",
        };
        assert_eq!(
            encode(Version::V2, &envelope, "{}"),
            r#"[null,7,"phoenix","phx_reply",{}]"#
        );
    }

    #[test]
    fn frames_of_the_other_version_and_rubbish_are_refused() {
        for (version, frame) in [
            (Version::V2, JOIN),
            (Version::V1, "[]"),
            (Version::V2, r#"[null,{},"t","e",{}]"#),
            (Version::V1, ""),
            (Version::V1, "{"),
        ] {
            let refused = ClientMessage::from_text(version, frame);
            assert_eq!(refused.err(), Some(FrameError::Text), "{frame}");
        }
    }
}
