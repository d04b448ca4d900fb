//! A committed change of one row, as the rest of the service sees it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use super::pgoutput::{OldTuple, Tuple, Value};
use super::relations::Relation;

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It was inserted.
    Insert,
    /// It was updated.
    Update,
    /// It was deleted.
    Delete,
}

impl Operation {
    /// The name that clients know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// Where in the stream of all events one stands. Positions of one epoch are ordered, and no two
/// events share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Counts the times the stream could not be continued without a gap.
    pub epoch: u64,
    /// The log position of the transaction's commit record.
    pub commit_lsn: u64,
    /// The event's number within its transaction, from 1.
    pub sequence: u64,
}

/// The token clients keep: epoch, commit position and sequence in hexadecimal, joined by `-`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:x}-{:x}-{:x}",
            self.epoch, self.commit_lsn, self.sequence
        )
    }
}

/// A text that is no token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a resume token")]
pub struct NoToken;

impl FromStr for Position {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let mut parts = text.split('-');
        let mut number = || {
            let part = parts.next().filter(|part| !part.starts_with('+'));
            u64::from_str_radix(part.ok_or(NoToken)?, 16).map_err(|_| NoToken)
        };
        let position = Self {
            epoch: number()?,
            commit_lsn: number()?,
            sequence: number()?,
        };
        match parts.next() {
            None => Ok(position),
            Some(_) => Err(NoToken),
        }
    }
}

/// A committed change of one row.
#[derive(Debug, Clone)]
pub struct Change {
    /// The table, as it was defined then.
    pub relation: Arc<Relation>,
    /// What happened.
    pub operation: Operation,
    /// When the transaction committed: ISO 8601, UTC, milliseconds.
    pub committed_at: Arc<str>,
    /// Where the change stands in the stream.
    pub position: Position,
    /// The row after the change; none after a delete.
    pub new: Option<Row>,
    /// The row before the change, as far as the replica identity has it; none before an insert.
    pub old: Option<Row>,
    /// Whether the rows are larger than an event may be: their large values are not known, and
    /// listeners are told so instead of the rows.
    pub large: bool,
    /// All of it, where it is larger than an event may be: live only, not from the journal.
    pub whole: Option<Arc<Change>>,
}

impl Change {
    /// The row that filters and policies are asked about: the new one, or the deleted one.
    pub fn subject(&self) -> &Row {
        static NO_ROW: Row = Row(Vec::new());
        self.new.as_ref().or(self.old.as_ref()).unwrap_or(&NO_ROW)
    }

    /// The row that an update replaced.
    pub fn replaced(&self) -> Option<&Row> {
        self.new.as_ref().and(self.old.as_ref())
    }
}

/// The values of a row, in the order of its table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Cell>);

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The log does not say: not part of the replica identity, or a large value left as it was.
    Unknown,
    /// SQL's null.
    Null,
    /// The value in its type's text format; UTF-8.
    Text(Bytes),
}

impl Cell {
    /// The text, where there is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => std::str::from_utf8(text).ok(),
            Self::Unknown | Self::Null => None,
        }
    }
}

impl Row {
    /// The cell at `index`; unknown where the row is shorter.
    pub fn cell(&self, index: usize) -> &Cell {
        self.0.get(index).unwrap_or(&Cell::Unknown)
    }

    /// A new row; large values that were left as they were come from the old one, where it is
    /// whole.
    pub fn new(tuple: Tuple, old: Option<&OldTuple>) -> Self {
        let before = match old {
            Some(OldTuple::Full(Tuple(values))) => Some(values),
            Some(OldTuple::Key(_)) | None => None,
        };
        let cells = tuple.0.into_iter().enumerate();
        let cells = cells.map(|(index, value)| match value {
            Value::Unchanged => {
                let value = before.and_then(|values| values.get(index)).cloned();
                value.map_or(Cell::Unknown, Cell::from)
            }
            known @ (Value::Null | Value::Text(_)) => Cell::from(known),
        });
        Self(cells.collect())
    }

    /// The row before a change.
    pub fn old(relation: &Relation, tuple: OldTuple) -> Self {
        match tuple {
            OldTuple::Full(Tuple(values)) => Self(values.into_iter().map(Cell::from).collect()),
            OldTuple::Key(Tuple(values)) => {
                Self(values.into_iter().map(Cell::from).collect()).key_only(relation)
            }
        }
    }

    /// This row with nothing known but the replica identity.
    #[must_use]
    pub fn key_only(self, relation: &Relation) -> Self {
        let columns = relation.columns.iter();
        let cells = self.0.into_iter().zip(columns);
        let cells = cells.map(|(cell, column)| if column.key { cell } else { Cell::Unknown });
        Self(cells.collect())
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Unchanged => Self::Unknown,
            Value::Text(text) => Self::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_positions() {
        let position = Position {
            epoch: 0x19a_b3f2,
            commit_lsn: 0x1_6b37_48d0,
            sequence: 12,
        };
        assert_eq!(position.to_string(), "19ab3f2-16b3748d0-c");
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in [
            "",
            "1-2",
            "1-2-3-4",
            "1-2-",
            "x-1-2",
            "+1-2-3",
            "1-2-3 ",
            "1-2-11111111111111111",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NoToken), "{text}");
        }
    }
}
