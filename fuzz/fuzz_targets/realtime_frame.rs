//! Frames of realtime sockets, of both versions and of SelfDB's own protocol: nothing panics, and
//! a broadcast that is read can be written.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use realtime::changes::Binding;
use realtime::protocol::selfdb::SelfDbRequest;
use realtime::protocol::{ClientMessage, ClientPayload, JoinRequest, Version, binary};

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let message = match (kind % 4, std::str::from_utf8(rest)) {
        (0, _) => ClientMessage::from_binary(&Bytes::copy_from_slice(rest)).ok(),
        (1, Ok(text)) => ClientMessage::from_text(Version::V1, text).ok(),
        (2, Ok(text)) => ClientMessage::from_text(Version::V2, text).ok(),
        (_, Ok(text)) => {
            let _ = serde_json::from_str::<SelfDbRequest>(text);
            None
        }
        (_, Err(_)) => None,
    };
    match message.map(|message| (message.topic, message.payload)) {
        Some((topic, ClientPayload::Broadcast(push))) => {
            let frame = binary::encode_broadcast(&topic, &push.event, &push.body, push.meta.as_deref());
            assert!(frame.is_some(), "what fits a client's frame fits the server's");
        }
        Some((_, ClientPayload::Json(json))) => {
            let join = serde_json::from_str::<JoinRequest>(json.get());
            for request in join.into_iter().flat_map(|join| join.config.postgres_changes) {
                let _ = Binding::new(&request);
            }
        }
        None => {}
    }
});
