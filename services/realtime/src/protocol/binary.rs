//! Binary frames of 2.0.0: a client's broadcast (kind 3) and the server's (kind 4). Each begins
//! with its kind and one byte a length; then the texts in that order; then the payload.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::push::{BroadcastBody, BroadcastPush, ClientMessage, ClientPayload, FrameError};
use super::{MAX_NAME_BYTES, Reference};

const CLIENT_BROADCAST: u8 = 3;
const SERVER_BROADCAST: u8 = 4;
const BINARY: u8 = 0;
const JSON: u8 = 1;

/// Reads a client's frame.
pub fn decode_push(frame: &Bytes) -> Result<ClientMessage, FrameError> {
    let mut reader = Reader(frame.clone());
    let kind = reader.byte()?;
    if kind != CLIENT_BROADCAST {
        return Err(FrameError::Kind(kind));
    }
    let lengths = reader.take(5)?;
    let encoding = reader.byte()?;
    let mut texts = [const { String::new() }; 5];
    for (text, length) in texts.iter_mut().zip(lengths.iter()) {
        *text = reader.text(usize::from(*length))?;
    }
    let [join_ref, reference, topic, event, meta] = texts;
    let body = match encoding {
        BINARY => BroadcastBody::Binary(reader.0),
        JSON if is_json(&reader.0) => BroadcastBody::Json(reader.0),
        _ => return Err(FrameError::Binary),
    };
    if !meta.is_empty() && !is_json(meta.as_bytes()) {
        return Err(FrameError::Binary);
    }
    Ok(ClientMessage {
        join_ref: Reference::from_text(&join_ref),
        reference: Reference::from_text(&reference),
        topic,
        event: "broadcast".to_owned(),
        payload: ClientPayload::Broadcast(BroadcastPush {
            event,
            body,
            meta: Some(meta).filter(|meta| !meta.is_empty()),
        }),
    })
}

/// The frame of a broadcast for one topic; `None` where a name or the metadata is longer than a
/// frame can say.
pub fn encode_broadcast(
    topic: &str,
    event: &str,
    body: &BroadcastBody,
    meta: Option<&str>,
) -> Option<Vec<u8>> {
    let meta = meta.unwrap_or_default();
    let (encoding, payload) = match body {
        BroadcastBody::Binary(payload) => (BINARY, payload),
        BroadcastBody::Json(payload) => (JSON, payload),
    };
    let names = topic.len() + event.len() + meta.len();
    let mut frame = Vec::with_capacity(5 + names + payload.len());
    frame.push(SERVER_BROADCAST);
    for name in [topic, event, meta] {
        frame.push(u8::try_from(name.len()).ok()?);
    }
    frame.push(encoding);
    for name in [topic, event, meta] {
        frame.extend_from_slice(name.as_bytes());
    }
    frame.extend_from_slice(payload);
    Some(frame)
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

struct Reader(Bytes);

impl Reader {
    fn take(&mut self, length: usize) -> Result<Bytes, FrameError> {
        if length > self.0.len() {
            return Err(FrameError::Binary);
        }
        Ok(self.0.split_to(length))
    }

    fn byte(&mut self) -> Result<u8, FrameError> {
        self.take(1)?.first().copied().ok_or(FrameError::Binary)
    }

    fn text(&mut self, length: usize) -> Result<String, FrameError> {
        debug_assert!(length <= MAX_NAME_BYTES, "one byte says the length");
        let bytes = self.take(length)?;
        String::from_utf8(bytes.into()).map_err(|_| FrameError::Binary)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push_frame(encoding: u8, meta: &str, payload: &[u8]) -> Bytes {
        let mut frame = vec![
            3,
            1,
            2,
            6,
            4,
            u8::try_from(meta.len()).expect("short"),
            encoding,
        ];
        frame.extend_from_slice(b"7");
        frame.extend_from_slice(b"12");
        frame.extend_from_slice(b"realti");
        frame.extend_from_slice(b"move");
        frame.extend_from_slice(meta.as_bytes());
        frame.extend_from_slice(payload);
        frame.into()
    }

    #[test]
    fn a_push_is_read_in_both_encodings() {
        let message = decode_push(&push_frame(0, "", &[1, 2, 255])).expect("a push");
        assert_eq!(message.topic, "realti");
        assert_eq!(message.join_ref, Reference::from_text("7"));
        assert_eq!(message.reference, Reference::from_text("12"));
        let ClientPayload::Broadcast(push) = message.payload else {
            panic!("a broadcast");
        };
        assert_eq!(push.event, "move");
        assert_eq!(
            push.body,
            BroadcastBody::Binary(Bytes::from_static(&[1, 2, 255]))
        );
        let json = decode_push(&push_frame(1, r#"{"a":1}"#, br#"{"x":1}"#)).expect("a push");
        let ClientPayload::Broadcast(push) = json.payload else {
            panic!("a broadcast");
        };
        assert_eq!(
            push.body,
            BroadcastBody::Json(Bytes::from_static(br#"{"x":1}"#))
        );
        assert_eq!(push.meta.as_deref(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn what_claims_to_be_json_must_be() {
        for frame in [
            push_frame(1, "", b"{"),
            push_frame(1, "x", b"{}"),
            push_frame(9, "", b"{}"),
            Bytes::from_static(&[3, 1, 1, 1, 1]),
        ] {
            assert_eq!(decode_push(&frame).err(), Some(FrameError::Binary));
        }
        assert_eq!(
            decode_push(&Bytes::from_static(&[4, 0])).err(),
            Some(FrameError::Kind(4))
        );
    }

    #[test]
    fn a_broadcast_has_the_layout_clients_read() {
        let body = BroadcastBody::Json(Bytes::from_static(b"{}"));
        let frame = encode_broadcast("t", "ev", &body, None).expect("short names");
        assert_eq!(frame, [&[4, 1, 2, 0, 1][..], b"tev{}"].concat());
        assert_eq!(encode_broadcast(&"t".repeat(256), "e", &body, None), None);
    }

    proptest! {
        #[test]
        fn no_frame_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_push(&Bytes::from(bytes));
        }

        #[test]
        fn no_push_shaped_frame_panics(
            lengths in proptest::array::uniform5(0u8..20),
            encoding in 0u8..3,
            rest in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut frame = vec![3];
            frame.extend(lengths);
            frame.push(encoding);
            frame.extend(rest);
            let _ = decode_push(&Bytes::from(frame));
        }
    }
}
