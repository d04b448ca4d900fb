//! The pgoutput protocol, version 1 ("Logical Replication Message Formats" in PostgreSQL's
//! documentation). Pure: bytes in, messages out; it never panics whatever it is given. Begin,
//! Commit and logical messages are decoded by the replication client.

use bytes::{Buf as _, BufMut as _, Bytes};

/// One message inside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// What a table looks like; comes before its first change and after each change of its
    /// definition, policies or grants.
    Relation(RelationMessage),
    /// The name of a type that is not built in.
    Type(TypeMessage),
    /// A row was inserted.
    Insert {
        /// The table's oid.
        relation: u32,
        /// The row.
        new: Tuple,
    },
    /// A row was updated.
    Update {
        /// The table's oid.
        relation: u32,
        /// The row before, as far as the replica identity has it.
        old: Option<OldTuple>,
        /// The row.
        new: Tuple,
    },
    /// A row was deleted.
    Delete {
        /// The table's oid.
        relation: u32,
        /// The row before, as far as the replica identity has it.
        old: OldTuple,
    },
    /// A message of no interest here: truncate, origin, and those of later versions.
    Other(u8),
}

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationMessage {
    /// The table's oid.
    pub oid: u32,
    /// Its schema; empty for `pg_catalog`.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Its published columns, in order.
    pub columns: Vec<ColumnMessage>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMessage {
    /// Whether it is part of the replica identity.
    pub key: bool,
    /// Its name.
    pub name: String,
    /// The oid of its type.
    pub type_oid: u32,
}

/// The name of a type; for a domain, that of the type below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMessage {
    /// The type's oid.
    pub oid: u32,
    /// Its schema; empty for `pg_catalog`.
    pub schema: String,
    /// Its name.
    pub name: String,
}

/// A row before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldTuple {
    /// The columns of the replica identity; the others are there as nulls.
    Key(Tuple),
    /// All columns (`replica identity full`).
    Full(Tuple),
}

/// The values of a row, in the order of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuple(pub Vec<Value>);

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL's null.
    Null,
    /// A large value that the change left as it was, and that the log does not repeat.
    Unchanged,
    /// The value in its type's text format, in UTF-8.
    Text(Bytes),
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The message ends before what it announces.
    #[error("the message is shorter than it says")]
    Truncated,
    /// Text that is not UTF-8, though the connection's encoding is.
    #[error("the message has text that is not UTF-8")]
    Encoding,
    /// A tag where none of the known ones may stand.
    #[error("the message has an unknown tag {0:#04x}")]
    Tag(u8),
}

type Result<T> = std::result::Result<T, DecodeError>;

/// Decodes one message.
pub fn decode(message: Bytes) -> Result<Message> {
    let mut reader = Reader(message);
    match reader.byte()? {
        b'R' => reader.relation().map(Message::Relation),
        b'Y' => reader.type_name().map(Message::Type),
        b'I' => reader.insert(),
        b'U' => reader.update(),
        b'D' => reader.delete(),
        tag => Ok(Message::Other(tag)),
    }
}

impl Message {
    /// The same change without values of more than `limit` bytes: as if the log did not repeat
    /// them.
    #[must_use]
    pub fn without_values_over(mut self, limit: usize) -> Self {
        let (old, new) = match &mut self {
            Self::Insert { new, .. } => (None, Some(new)),
            Self::Update { old, new, .. } => (old.as_mut(), Some(new)),
            Self::Delete { old, .. } => (Some(old), None),
            Self::Relation(_) | Self::Type(_) | Self::Other(_) => (None, None),
        };
        let old = old.map(|(OldTuple::Key(tuple) | OldTuple::Full(tuple))| tuple);
        for value in [old, new]
            .into_iter()
            .flatten()
            .flat_map(|tuple| &mut tuple.0)
        {
            if matches!(value, Value::Text(text) if text.len() > limit) {
                *value = Value::Unchanged;
            }
        }
        self
    }

    /// The bytes of a change, as the server would have sent them; `None` for other messages.
    pub fn encode_change(&self) -> Option<Bytes> {
        let mut out = Vec::new();
        let (tag, relation) = match self {
            Self::Insert { relation, .. } => (b'I', relation),
            Self::Update { relation, .. } => (b'U', relation),
            Self::Delete { relation, .. } => (b'D', relation),
            Self::Relation(_) | Self::Type(_) | Self::Other(_) => return None,
        };
        out.put_u8(tag);
        out.put_u32(*relation);
        if let Self::Update { old: Some(old), .. } | Self::Delete { old, .. } = self {
            let (tag, tuple) = match old {
                OldTuple::Key(tuple) => (b'K', tuple),
                OldTuple::Full(tuple) => (b'O', tuple),
            };
            out.put_u8(tag);
            put_tuple(&mut out, tuple);
        }
        if let Self::Insert { new, .. } | Self::Update { new, .. } = self {
            out.put_u8(b'N');
            put_tuple(&mut out, new);
        }
        Some(out.into())
    }
}

fn put_tuple(out: &mut Vec<u8>, Tuple(values): &Tuple) {
    out.put_u16(u16::try_from(values.len()).unwrap_or(u16::MAX));
    for value in values {
        match value {
            Value::Null => out.put_u8(b'n'),
            Value::Unchanged => out.put_u8(b'u'),
            Value::Text(text) => {
                out.put_u8(b't');
                out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
                out.put_slice(text);
            }
        }
    }
}

struct Reader(Bytes);

impl Reader {
    fn byte(&mut self) -> Result<u8> {
        self.0.try_get_u8().map_err(|_| DecodeError::Truncated)
    }

    fn u16(&mut self) -> Result<u16> {
        self.0.try_get_u16().map_err(|_| DecodeError::Truncated)
    }

    fn u32(&mut self) -> Result<u32> {
        self.0.try_get_u32().map_err(|_| DecodeError::Truncated)
    }

    fn take(&mut self, length: usize) -> Result<Bytes> {
        if length > self.0.len() {
            return Err(DecodeError::Truncated);
        }
        Ok(self.0.split_to(length))
    }

    fn text(&mut self) -> Result<String> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let text = self.take(end.ok_or(DecodeError::Truncated)?)?;
        self.0.advance(1);
        String::from_utf8(text.into()).map_err(|_| DecodeError::Encoding)
    }

    fn relation(&mut self) -> Result<RelationMessage> {
        let oid = self.u32()?;
        let schema = self.text()?;
        let table = self.text()?;
        let _replica_identity = self.byte()?;
        let count = self.u16()?;
        let columns = (0..count).map(|_| self.column()).collect::<Result<_>>()?;
        Ok(RelationMessage {
            oid,
            schema,
            table,
            columns,
        })
    }

    fn column(&mut self) -> Result<ColumnMessage> {
        let key = self.byte()? & 1 == 1;
        let name = self.text()?;
        let type_oid = self.u32()?;
        let _type_modifier = self.u32()?;
        Ok(ColumnMessage {
            key,
            name,
            type_oid,
        })
    }

    fn type_name(&mut self) -> Result<TypeMessage> {
        Ok(TypeMessage {
            oid: self.u32()?,
            schema: self.text()?,
            name: self.text()?,
        })
    }

    fn insert(&mut self) -> Result<Message> {
        let relation = self.u32()?;
        match self.byte()? {
            b'N' => Ok(Message::Insert {
                relation,
                new: self.tuple()?,
            }),
            tag => Err(DecodeError::Tag(tag)),
        }
    }

    fn update(&mut self) -> Result<Message> {
        let relation = self.u32()?;
        let (old, tag) = match self.byte()? {
            tag @ (b'K' | b'O') => (Some(self.old_tuple(tag)?), self.byte()?),
            tag => (None, tag),
        };
        if tag != b'N' {
            return Err(DecodeError::Tag(tag));
        }
        let new = self.tuple()?;
        Ok(Message::Update { relation, old, new })
    }

    fn delete(&mut self) -> Result<Message> {
        let relation = self.u32()?;
        let tag = self.byte()?;
        let old = self.old_tuple(tag)?;
        Ok(Message::Delete { relation, old })
    }

    fn old_tuple(&mut self, tag: u8) -> Result<OldTuple> {
        match tag {
            b'K' => self.tuple().map(OldTuple::Key),
            b'O' => self.tuple().map(OldTuple::Full),
            tag => Err(DecodeError::Tag(tag)),
        }
    }

    fn tuple(&mut self) -> Result<Tuple> {
        let count = self.u16()?;
        let values = (0..count).map(|_| self.value()).collect::<Result<_>>()?;
        Ok(Tuple(values))
    }

    fn value(&mut self) -> Result<Value> {
        match self.byte()? {
            b'n' => Ok(Value::Null),
            b'u' => Ok(Value::Unchanged),
            b't' => {
                let length = self.u32()?;
                let length = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
                let text = self.take(length)?;
                match std::str::from_utf8(&text) {
                    Ok(_) => Ok(Value::Text(text)),
                    Err(_) => Err(DecodeError::Encoding),
                }
            }
            tag => Err(DecodeError::Tag(tag)),
        }
    }
}

#[cfg(test)]
mod tests;
