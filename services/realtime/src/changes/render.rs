//! A change as the JSON clients read.

use std::fmt::Write as _;

use crate::protocol::text::quoted;
use crate::replication::json;
use crate::replication::{Cell, Change, Operation, Position, Row};

/// Why a change comes without its rows; the texts are what Supabase's clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Omission {
    /// The role may not read the table.
    Unauthorized,
    /// The rows are larger than an event may be.
    TooLarge,
}

impl Omission {
    fn text(self) -> &'static str {
        match self {
            Self::Unauthorized => "Error 401: Unauthorized",
            Self::TooLarge => "Error 413: Payload Too Large",
        }
    }
}

/// The member `data` of a `postgres_changes` event, with the columns marked in `columns`.
pub fn data(change: &Change, columns: &[bool]) -> String {
    let mut out = head(change);
    out.push_str(r#","columns":["#);
    let shown = change.relation.columns.iter().zip(columns);
    for (index, (column, _)) in shown.filter(|(_, shown)| **shown).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (name, type_name) = (quoted(&column.name), quoted(&column.type_name));
        let _ = write!(out, r#"{comma}{{"name":{name},"type":{type_name}}}"#);
    }
    out.push(']');
    if let Some(row) = &change.new {
        let _ = write!(out, r#","record":{}"#, record(change, row, columns));
    }
    if let Some(row) = &change.old {
        let _ = write!(out, r#","old_record":{}"#, record(change, row, columns));
    }
    out.push_str(r#","errors":null}"#);
    out
}

/// The same without rows, and why.
pub fn omitted(change: &Change, omission: Omission) -> String {
    let mut out = head(change);
    out.push_str(r#","columns":[]"#);
    if change.operation != Operation::Delete {
        out.push_str(r#","record":{}"#);
    }
    if change.operation != Operation::Insert {
        out.push_str(r#","old_record":{}"#);
    }
    let _ = write!(out, r#","errors":[{}]}}"#, quoted(omission.text()));
    out
}

fn head(change: &Change) -> String {
    let relation = &change.relation;
    format!(
        r#"{{"schema":{},"table":{},"commit_timestamp":"{}","type":"{}""#,
        quoted(&relation.schema),
        quoted(&relation.table),
        change.committed_at,
        change.operation.as_str()
    )
}

/// The payload of a `postgres_changes` event.
pub fn phoenix_payload(ids: &[u32], data: &str, position: Position) -> String {
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    let ids = ids.join(",");
    format!(r#"{{"ids":[{ids}],"data":{data},"resume_token":"{position}"}}"#)
}

/// A `database_change` message of SelfDB's own socket.
pub fn selfdb(subscription: &str, change: &Change, columns: &[bool]) -> String {
    let row = |row: &Option<Row>| {
        let row = row.as_ref();
        row.map_or_else(|| "null".to_owned(), |row| record(change, row, columns))
    };
    selfdb_message(subscription, change, &row(&change.new), &row(&change.old))
}

/// The same without rows, and why.
pub fn selfdb_omitted(subscription: &str, change: &Change, omission: Omission) -> String {
    let error = format!(r#"null,"error":{}"#, quoted(omission.text()));
    selfdb_message(subscription, change, "null", &error)
}

fn selfdb_message(subscription: &str, change: &Change, new: &str, old: &str) -> String {
    format!(
        r#"{{"type":"database_change","subscription_id":{},"data":{{"operation":"{}","table":{},"data":{new},"old_data":{old}}},"resume_token":"{}"}}"#,
        quoted(subscription),
        change.operation.as_str(),
        quoted(&change.relation.table),
        change.position,
    )
}

/// The known values of a row's marked columns as a JSON object.
fn record(change: &Change, row: &Row, columns: &[bool]) -> String {
    let mut out = vec![b'{'];
    for (index, column) in change.relation.columns.iter().enumerate() {
        let cell = row.cell(index);
        if *cell == Cell::Unknown || columns.get(index) != Some(&true) {
            continue;
        }
        if out.len() > 1 {
            out.push(b',');
        }
        json::write_string(&mut out, &column.name);
        out.push(b':');
        match cell.text() {
            Some(text) => json::write_value(&mut out, column.kind, text),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    // Only UTF-8 was written.
    String::from_utf8(out).unwrap_or_else(|_| "{}".to_owned())
}
