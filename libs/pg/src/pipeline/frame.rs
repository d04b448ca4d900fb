//! Cutting the server's stream of bytes into messages. Rows stay together: whole `DataRow`
//! frames that lie side by side are taken as one slice of the read buffer, without copying and
//! without looking into them.

use std::io;

use bytes::{Bytes, BytesMut};
use postgres_protocol::message::backend::{DATA_ROW_TAG, Header, Message};

/// The most one message may hold; Postgres' own limit for a value.
const MAX_FRAME_BYTES: usize = 1 << 30;

pub(super) enum Frame {
    /// Whole `DataRow` frames and how many they are.
    Rows(Bytes, usize),
    Message(Message),
}

/// Takes the next frame off `input`; `None` where it is not complete yet.
pub(super) fn next(input: &mut BytesMut) -> io::Result<Option<Frame>> {
    let (length, count) = data_rows(input)?;
    if count > 0 {
        return Ok(Some(Frame::Rows(input.split_to(length).freeze(), count)));
    }
    // After `data_rows` the length at the front is known to be sane, so that reserving is safe.
    Ok(Message::parse(input)?.map(Frame::Message))
}

/// How many bytes at the front of `input` are whole `DataRow` frames, and how many frames.
fn data_rows(input: &[u8]) -> io::Result<(usize, usize)> {
    let (mut length, mut count) = (0, 0);
    while let Some(header) = Header::parse(input.get(length..).unwrap_or_default())? {
        let frame = usize::try_from(header.len()).unwrap_or(usize::MAX);
        if frame > MAX_FRAME_BYTES {
            let reason = "a message is longer than Postgres makes them";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let end = length + frame + 1;
        if header.tag() != DATA_ROW_TAG || end > input.len() {
            break;
        }
        (length, count) = (end, count + 1);
    }
    Ok((length, count))
}

/// Splits the first frame off `rows`: its body (after tag and length) and what follows.
pub(super) fn split_row(rows: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = rows.get(1..5)?.try_into().ok().map(u32::from_be_bytes)?;
    let end = usize::try_from(length).ok()?.checked_add(1)?;
    let (frame, rest) = rows.split_at_checked(end)?;
    Some((frame.get(5..)?, rest))
}

/// A value of a row; `None` is SQL's null.
type Value<'a> = Option<&'a [u8]>;

/// Splits the first value off the values of a row.
pub(super) fn split_value(values: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (length, rest) = values.split_first_chunk()?;
    match usize::try_from(i32::from_be_bytes(*length)) {
        Ok(length) => {
            let (value, rest) = rest.split_at_checked(length)?;
            Some((Some(value), rest))
        }
        Err(_) => Some((None, rest)),
    }
}

#[cfg(test)]
mod tests;
