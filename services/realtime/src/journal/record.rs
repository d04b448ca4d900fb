//! The journal's records: a length, a checksum, and what they guard. Whatever was torn off by a
//! crash is noticed by one of the two.

use bytes::{Buf as _, BufMut as _, Bytes};

use crate::replication::Position;

/// What stands before each record's body: its length and its checksum.
const HEAD: usize = 8;
const CHECKSUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// What a segment of the journal begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The server's system identifier and the slot: whose positions these are.
    pub source: String,
    /// The last event before this segment, or where the epoch began.
    pub before: Position,
    /// The commit of the last transaction that ended before this segment.
    pub finished: u64,
    /// The furthest position that may have been confirmed to the server.
    pub marked: u64,
}

/// One event as the server sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Where it stands.
    pub position: Position,
    /// When it was committed, in microseconds since Postgres' epoch.
    pub committed_micros: i64,
    /// What it is.
    pub content: Content,
}

/// What an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A change of a row: a message of pgoutput.
    Change(Bytes),
    /// The same of a row too large to be told; large values were taken out.
    LargeChange(Bytes),
    /// A message from SQL.
    Message(Bytes),
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// What the segment begins with.
    Origin(Origin),
    /// A table or type as pgoutput describes it, for the changes that follow.
    Description(Bytes),
    /// An event.
    Event(Logged),
    /// The transaction that committed here is in the journal whole.
    Commit(u64),
    /// Everything before this position is in the journal; it may be confirmed to the server.
    Mark(u64),
}

mod tag {
    pub(super) const ORIGIN: u8 = 1;
    pub(super) const DESCRIPTION: u8 = 2;
    pub(super) const CHANGE: u8 = 3;
    pub(super) const LARGE_CHANGE: u8 = 4;
    pub(super) const MESSAGE: u8 = 5;
    pub(super) const COMMIT: u8 = 6;
    pub(super) const MARK: u8 = 7;
}

impl Record {
    /// Appends the record to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.put_bytes(0, HEAD);
        match self {
            Self::Origin(origin) => {
                out.put_u8(tag::ORIGIN);
                put_position(out, origin.before);
                out.put_u64(origin.finished);
                out.put_u64(origin.marked);
                out.put_slice(origin.source.as_bytes());
            }
            Self::Description(message) => {
                out.put_u8(tag::DESCRIPTION);
                out.put_slice(message);
            }
            Self::Event(event) => {
                let (tag, data) = match &event.content {
                    Content::Change(data) => (tag::CHANGE, data),
                    Content::LargeChange(data) => (tag::LARGE_CHANGE, data),
                    Content::Message(data) => (tag::MESSAGE, data),
                };
                out.put_u8(tag);
                put_position(out, event.position);
                out.put_i64(event.committed_micros);
                out.put_slice(data);
            }
            Self::Commit(commit) => {
                out.put_u8(tag::COMMIT);
                out.put_u64(*commit);
            }
            Self::Mark(position) => {
                out.put_u8(tag::MARK);
                out.put_u64(*position);
            }
        }
        let (head, body) = out.split_at_mut(start + HEAD);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut head = head.get_mut(start..).unwrap_or_default();
        head.put_u32(length);
        head.put_u32(CHECKSUM.checksum(body));
    }

    /// Takes the next record from `bytes`; `None` where no whole and unharmed one follows.
    pub fn read(bytes: &mut Bytes) -> Option<Self> {
        let mut head = bytes.get(..HEAD)?;
        let length = usize::try_from(head.get_u32()).ok()?;
        let checksum = head.get_u32();
        let body = bytes.get(HEAD..HEAD.checked_add(length)?)?;
        if CHECKSUM.checksum(body) != checksum {
            return None;
        }
        bytes.advance(HEAD);
        Self::body(bytes.split_to(length))
    }

    fn body(mut body: Bytes) -> Option<Self> {
        let tag = body.try_get_u8().ok()?;
        Some(match tag {
            tag::ORIGIN => Self::Origin(Origin {
                before: position(&mut body)?,
                finished: body.try_get_u64().ok()?,
                marked: body.try_get_u64().ok()?,
                source: String::from_utf8(body.into()).ok()?,
            }),
            tag::DESCRIPTION => Self::Description(body),
            tag::CHANGE | tag::LARGE_CHANGE | tag::MESSAGE => {
                let position = position(&mut body)?;
                let committed_micros = body.try_get_i64().ok()?;
                let content = match tag {
                    tag::CHANGE => Content::Change(body),
                    tag::LARGE_CHANGE => Content::LargeChange(body),
                    _ => Content::Message(body),
                };
                Self::Event(Logged {
                    position,
                    committed_micros,
                    content,
                })
            }
            tag::COMMIT => Self::Commit(body.try_get_u64().ok()?),
            tag::MARK => Self::Mark(body.try_get_u64().ok()?),
            _ => return None,
        })
    }
}

fn put_position(out: &mut Vec<u8>, position: Position) {
    out.put_u64(position.epoch);
    out.put_u64(position.commit_lsn);
    out.put_u64(position.sequence);
}

fn position(body: &mut Bytes) -> Option<Position> {
    Some(Position {
        epoch: body.try_get_u64().ok()?,
        commit_lsn: body.try_get_u64().ok()?,
        sequence: body.try_get_u64().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(content: Content) -> Record {
        Record::Event(Logged {
            position: Position {
                epoch: 1,
                commit_lsn: 2,
                sequence: 3,
            },
            committed_micros: -4,
            content,
        })
    }

    #[test]
    fn records_come_back_as_they_were() {
        let data = || Bytes::from_static(b"data");
        let records = [
            Record::Origin(Origin {
                source: "7/slot".to_owned(),
                before: Position {
                    epoch: 9,
                    commit_lsn: 8,
                    sequence: 7,
                },
                finished: 6,
                marked: 5,
            }),
            Record::Description(data()),
            event(Content::Change(data())),
            event(Content::LargeChange(Bytes::new())),
            event(Content::Message(data())),
            Record::Commit(1),
            Record::Mark(2),
        ];
        let mut out = Vec::new();
        for record in &records {
            record.write(&mut out);
        }
        let mut bytes = Bytes::from(out);
        for record in records {
            assert_eq!(Record::read(&mut bytes), Some(record));
        }
        assert_eq!(Record::read(&mut bytes), None);
    }

    proptest! {
        #[test]
        fn a_harmed_record_is_noticed(at in 0usize..40, bit in 0u8..8) {
            let mut out = Vec::new();
            event(Content::Change(Bytes::from_static(b"some row"))).write(&mut out);
            prop_assume!(at < out.len());
            out[at] ^= 1 << bit;
            prop_assert_eq!(Record::read(&mut Bytes::from(out)), None);
        }

        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Record::read(&mut Bytes::from(bytes));
        }
    }
}
