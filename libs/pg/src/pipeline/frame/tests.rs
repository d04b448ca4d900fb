use bytes::{BufMut as _, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::pipeline::results::Rows;

/// What a server may send, reduced to what can be compared.
#[derive(Debug, Clone, PartialEq)]
enum Sent {
    Row(Vec<Option<Vec<u8>>>),
    Complete(String),
    Ready,
}

fn sent() -> impl Strategy<Value = Sent> {
    let value = prop::option::of(vec(any::<u8>(), 0..300));
    prop_oneof![
        4 => vec(value, 0..8).prop_map(Sent::Row),
        1 => "[A-Z]{1,10} [0-9]{1,3}".prop_map(Sent::Complete),
        1 => Just(Sent::Ready),
    ]
}

fn encode(message: &Sent, output: &mut BytesMut) {
    let mut body = BytesMut::new();
    let tag = match message {
        Sent::Row(values) => {
            body.put_u16(u16::try_from(values.len()).expect("few"));
            for value in values {
                let length = value.as_ref().map_or(-1, |value| value.len().cast_signed());
                body.put_i32(i32::try_from(length).expect("short"));
                body.extend_from_slice(value.as_deref().unwrap_or_default());
            }
            b'D'
        }
        Sent::Complete(tag) => {
            body.extend_from_slice(tag.as_bytes());
            body.put_u8(0);
            b'C'
        }
        Sent::Ready => {
            body.put_u8(b'I');
            b'Z'
        }
    };
    output.put_u8(tag);
    output.put_u32(u32::try_from(body.len() + 4).expect("short"));
    output.extend_from_slice(&body);
}

fn decode(frame: Frame, seen: &mut Vec<Sent>) {
    match frame {
        Frame::Rows(frames, count) => {
            let mut rows = Rows::default();
            rows.push(frames, count);
            assert_eq!(rows.iter().count(), rows.len());
            seen.extend(rows.iter().map(|row| {
                Sent::Row(
                    row.values()
                        .map(|value| value.map(<[u8]>::to_vec))
                        .collect(),
                )
            }));
        }
        Frame::Message(Message::CommandComplete(body)) => {
            seen.push(Sent::Complete(body.tag().expect("text").to_owned()));
        }
        Frame::Message(Message::ReadyForQuery(_)) => seen.push(Sent::Ready),
        Frame::Message(_) => panic!("a message nobody sent"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_survive_any_cut_of_the_stream(
        messages in vec(sent(), 0..40),
        cuts in vec(1..500_usize, 1..60),
    ) {
        let mut stream = BytesMut::new();
        for message in &messages {
            encode(message, &mut stream);
        }
        let (mut input, mut seen) = (BytesMut::new(), Vec::new());
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let piece = stream.split_to(cut.min(stream.len()));
            input.extend_from_slice(&piece);
            while let Some(frame) = next(&mut input).expect("well formed") {
                decode(frame, &mut seen);
            }
        }
        prop_assert_eq!(seen, messages);
        prop_assert!(input.is_empty());
    }

    #[test]
    fn noise_is_an_error_or_waits_for_more_and_never_panics(noise in vec(any::<u8>(), 0..200)) {
        let mut input = BytesMut::from(&noise[..]);
        while let Ok(Some(frame)) = next(&mut input) {
            if let Frame::Rows(frames, count) = frame {
                let mut rows = Rows::default();
                rows.push(frames, count);
                rows.iter().for_each(|row| row.values().for_each(|_| {}));
            }
        }
        // Whatever length the noise claims, memory for it is bounded.
        prop_assert!(input.capacity() <= MAX_FRAME_BYTES + 64);
    }

    #[test]
    fn values_of_a_broken_row_end_early(row in vec(any::<u8>(), 0..64)) {
        let mut frame = BytesMut::from(&b"D"[..]);
        frame.put_u32(u32::try_from(row.len() + 4).expect("short"));
        frame.extend_from_slice(&row);
        let mut rows = Rows::default();
        rows.push(frame.freeze(), 1);
        for row in rows.iter() {
            let length: usize = row.values().flatten().map(<[u8]>::len).sum();
            prop_assert!(length <= 64);
        }
    }
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    for header in [
        &b"D\0\0\0\x03"[..],
        b"D\xff\xff\xff\xff",
        b"T\x7f\xff\xff\xff",
        b"?\0\0\0\x04",
    ] {
        assert!(next(&mut BytesMut::from(header)).is_err(), "{header:?}");
    }
}
