//! A change as the JSON clients read.

use std::fmt::Write as _;

use crate::protocol::text::quoted;
use crate::replication::json;
use crate::replication::{Cell, Change, Operation, Position, Row};

/// What clients of Supabase know a change by that their role may not read.
const UNAUTHORIZED: &str = "Error 401: Unauthorized";
/// And one whose rows are larger than an event may be.
const TOO_LARGE: &str = "Error 413: Payload Too Large";
/// The values of such rows that are told all the same: those of at most as many bytes.
const SMALL_BYTES: usize = 64;

/// For each column of the table, whether it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// Of the row as it is, or as it was before it was deleted.
    pub new: Vec<bool>,
    /// Of the row that an update replaced.
    pub old: Vec<bool>,
}

/// Which values of a row are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    All,
    Small,
}

/// The member `data` of a `postgres_changes` event.
pub fn data(change: &Change, shown: &Shown) -> String {
    whole(change, shown, Values::All, "null")
}

/// The same with the small values alone, for rows that are too large.
pub fn small(change: &Change, shown: &Shown) -> String {
    whole(change, shown, Values::Small, &errors(TOO_LARGE))
}

fn whole(change: &Change, shown: &Shown, values: Values, errors: &str) -> String {
    let mut out = head(change);
    out.push_str(r#","columns":["#);
    let columns = change.relation.columns.iter().zip(&shown.new);
    for (index, (column, _)) in columns.filter(|(_, shown)| **shown).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (name, type_name) = (quoted(&column.name), quoted(&column.type_name));
        let _ = write!(out, r#"{comma}{{"name":{name},"type":{type_name}}}"#);
    }
    out.push(']');
    let (new, old) = rows(change, shown, values);
    if let Some(new) = new {
        let _ = write!(out, r#","record":{new}"#);
    }
    if let Some(old) = old {
        let _ = write!(out, r#","old_record":{old}"#);
    }
    let _ = write!(out, r#","errors":{errors}}}"#);
    out
}

/// The same without rows, for a role that may not read the table.
pub fn unauthorized(change: &Change) -> String {
    let mut out = head(change);
    out.push_str(r#","columns":[]"#);
    if change.operation != Operation::Delete {
        out.push_str(r#","record":{}"#);
    }
    if change.operation != Operation::Insert {
        out.push_str(r#","old_record":{}"#);
    }
    let _ = write!(out, r#","errors":{}}}"#, errors(UNAUTHORIZED));
    out
}

fn errors(text: &str) -> String {
    format!("[{}]", quoted(text))
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
pub fn selfdb(subscription: &str, change: &Change, shown: &Shown) -> String {
    let rows = rows(change, shown, Values::All);
    selfdb_message(subscription, change, rows, None)
}

/// The same with the small values alone, for rows that are too large.
pub fn selfdb_small(subscription: &str, change: &Change, shown: &Shown) -> String {
    let rows = rows(change, shown, Values::Small);
    selfdb_message(subscription, change, rows, Some(TOO_LARGE))
}

/// The same without rows, for a role that may not read the table.
pub fn selfdb_unauthorized(subscription: &str, change: &Change) -> String {
    selfdb_message(subscription, change, (None, None), Some(UNAUTHORIZED))
}

fn selfdb_message(
    subscription: &str,
    change: &Change,
    (new, old): (Option<String>, Option<String>),
    error: Option<&str>,
) -> String {
    let or_null = |row: Option<String>| row.unwrap_or_else(|| "null".to_owned());
    let error = error.map(|error| format!(r#","error":{}"#, quoted(error)));
    format!(
        r#"{{"type":"database_change","subscription_id":{},"data":{{"operation":"{}","table":{},"data":{},"old_data":{}{}}},"resume_token":"{}"}}"#,
        quoted(subscription),
        change.operation.as_str(),
        quoted(&change.relation.table),
        or_null(new),
        or_null(old),
        error.unwrap_or_default(),
        change.position,
    )
}

/// The new row and the old one, as far as there are such and as they are shown.
fn rows(change: &Change, shown: &Shown, values: Values) -> (Option<String>, Option<String>) {
    let new = change.new.as_ref();
    let new = new.map(|row| record(change, row, &shown.new, values));
    let replaced = change.replaced().is_some();
    let columns = if replaced { &shown.old } else { &shown.new };
    let old = change.old.as_ref();
    (new, old.map(|row| record(change, row, columns, values)))
}

/// The known values of a row's marked columns as a JSON object.
fn record(change: &Change, row: &Row, columns: &[bool], values: Values) -> String {
    let mut out = vec![b'{'];
    for (index, column) in change.relation.columns.iter().enumerate() {
        let cell = row.cell(index);
        if *cell == Cell::Unknown || columns.get(index) != Some(&true) {
            continue;
        }
        let bytes = cell.text().map_or(0, str::len);
        if values == Values::Small && bytes > SMALL_BYTES {
            continue;
        }
        if out.len() > 1 {
            out.push(b',');
        }
        json::write_string(&mut out, &column.name);
        out.push(b':');
        match cell.text() {
            Some(text) => json::write_value(&mut out, &column.kind, text),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    // Only UTF-8 was written.
    String::from_utf8(out).unwrap_or_else(|_| "{}".to_owned())
}
