//! WebSocket frames as a server sends them (RFC 6455, section 5.2): unmasked, so that the same
//! bytes go to everybody.

use bytes::{BufMut as _, Bytes, BytesMut};

/// The last frame of a message.
const FINAL: u8 = 0x80;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const LARGEST_HEADER: usize = 10;
/// What a close frame's reason may take, beside its code.
const MAX_REASON: usize = 123;

/// One or more whole frames, ready to be written; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire(Bytes);

impl Wire {
    /// A text message.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::frame(TEXT, text.as_ref().as_bytes())
    }

    /// A binary message.
    pub fn binary(bytes: impl AsRef<[u8]>) -> Self {
        Self::frame(BINARY, bytes.as_ref())
    }

    /// The message that ends a socket.
    pub fn close(code: u16, reason: &str) -> Self {
        let reason = reason.get(..MAX_REASON).unwrap_or(reason);
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        Self::frame(CLOSE, &payload)
    }

    /// Bytes that are whole frames already.
    pub fn framed(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Several, one after the other.
    pub fn join<'a>(parts: impl IntoIterator<Item = &'a Self> + Clone) -> Self {
        let length = parts.clone().into_iter().map(Self::len).sum();
        let mut whole = BytesMut::with_capacity(length);
        for part in parts {
            whole.extend_from_slice(&part.0);
        }
        Self(whole.freeze())
    }

    fn frame(kind: u8, payload: &[u8]) -> Self {
        let mut frame = BytesMut::with_capacity(payload.len() + LARGEST_HEADER);
        frame.put_u8(FINAL | kind);
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(length @ ..126), _) => frame.put_u8(length),
            (_, Ok(length)) => {
                frame.put_u8(126);
                frame.put_u16(length);
            }
            (_, Err(_)) => {
                frame.put_u8(127);
                frame.put_u64(u64::try_from(payload.len()).unwrap_or(u64::MAX));
            }
        }
        frame.extend_from_slice(payload);
        Self(frame.freeze())
    }

    /// How many bytes.
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
    use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

    use super::*;

    /// What a client reads.
    fn read(wire: Wire, messages: usize) -> Vec<Message> {
        let stream = Cursor::new(wire.into_bytes().to_vec());
        let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
        let read = |_| socket.read().expect("a message");
        (0..messages).map(read).collect()
    }

    #[test]
    fn clients_read_messages_of_every_length() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000] {
            let text = "a".repeat(length);
            assert_eq!(read(Wire::text(&text), 1), [Message::text(text)]);
            let bytes = vec![7; length];
            assert_eq!(read(Wire::binary(&bytes), 1), [Message::binary(bytes)]);
        }
    }

    #[test]
    fn several_are_read_one_after_the_other() {
        let parts = [Wire::text("a"), Wire::binary([1, 2]), Wire::text("b")];
        let read = read(Wire::join(&parts), 3);
        assert_eq!(
            read,
            [
                Message::text("a"),
                Message::binary([1_u8, 2].as_slice()),
                Message::text("b")
            ]
        );
    }

    #[test]
    fn a_close_says_why() {
        let close = CloseFrame {
            code: 1013.into(),
            reason: "too slow".into(),
        };
        let read = read(Wire::close(1013, "too slow"), 1);
        assert_eq!(read, [Message::Close(Some(close))]);
    }
}
