//! What a batch gave: rows as the bytes that came, cut only where somebody looks.

use std::sync::Arc;

use bytes::Bytes;

use super::frame::{split_row, split_value};

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, not necessarily unique.
    pub name: String,
    /// The type's OID (`pg_type.oid`).
    pub type_oid: u32,
    /// The table it comes from, or 0.
    pub table_oid: u32,
}

/// What one statement gave.
#[derive(Debug, Clone)]
pub struct ResultSet {
    /// The columns; none for a statement that gives no rows.
    pub columns: Arc<[Column]>,
    /// The rows, every value in Postgres' text format.
    pub rows: Rows,
    /// The command tag: `SELECT 1`, `INSERT 0 3`.
    pub tag: Box<str>,
}

impl ResultSet {
    /// How many rows were selected or changed, by the command tag; 0 where it does not say.
    pub fn affected(&self) -> u64 {
        let last = self.tag.rsplit(' ').next();
        last.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// The first value of the first row: `None` without a row or where it is null.
    pub fn value(&self) -> Option<Bytes> {
        self.rows.first()?.bytes(0)
    }
}

/// Rows, as slices of what was read from the socket.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    chunks: Vec<Bytes>,
    count: usize,
}

impl Rows {
    pub(super) fn push(&mut self, frames: Bytes, count: usize) {
        self.chunks.push(frames);
        self.count += count;
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// How many bytes they came in.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first one.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.chunks.iter().flat_map(|chunk| {
            let mut rest: &[u8] = chunk;
            std::iter::from_fn(move || {
                let (body, after) = split_row(rest)?;
                rest = after;
                // The number of columns comes first; the values say the same.
                let values = body.get(2..)?;
                Some(Row { chunk, values })
            })
        })
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    chunk: &'a Bytes,
    values: &'a [u8],
}

impl<'a> Row<'a> {
    /// Its values in the columns' order; `None` is null.
    pub fn values(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut rest = self.values;
        std::iter::from_fn(move || {
            let (value, after) = split_value(rest)?;
            rest = after;
            Some(value)
        })
    }

    /// The value of column `index`; `None` where it is null or there is no such column.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.values().nth(index).flatten()
    }

    /// As [`Row::get`], to keep: shares the memory the row came in.
    pub fn bytes(&self, index: usize) -> Option<Bytes> {
        self.get(index).map(|value| self.chunk.slice_ref(value))
    }
}
