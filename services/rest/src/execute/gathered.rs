//! What came of a statement that answers one row: the counts, and the body as one value.

use bytes::Bytes;
use pg::pipeline::ResultSet;
use serde_json::Value;

use super::Outcome;
use crate::error::Error;
use crate::sql::columns;

/// The OID of `bytea`, whose values Postgres writes as `\x` and digits unless told otherwise.
const BYTEA: u32 = 17;

/// The lines of an execution plan.
pub(super) fn explained(result: Option<&ResultSet>) -> Outcome {
    let rows = result.iter().flat_map(|result| result.rows.iter());
    let lines: Vec<&[u8]> = rows.filter_map(|row| row.get(0)).collect();
    Outcome {
        total: None,
        rows: 0,
        body: lines.join(&b'\n').into(),
        headers: None,
        status: None,
        inserted: None,
        location: None,
        last_key: None,
        planned: None,
    }
}

pub(super) fn outcome(result: Option<&ResultSet>) -> Result<Outcome, Error> {
    let result = result.ok_or(Error::Shape("no result"))?;
    let row = result.rows.first().ok_or(Error::Shape("no row"))?;
    let text = |column| -> Result<Option<String>, Error> {
        let value = row.get(column).map(<[u8]>::to_vec).map(String::from_utf8);
        value.transpose().map_err(|_| Error::Shape("not UTF-8"))
    };
    Ok(Outcome {
        total: number(result, columns::TOTAL),
        rows: number(result, columns::ROWS).ok_or(Error::Shape("no row count"))?,
        body: body(result).unwrap_or_default(),
        headers: text(columns::HEADERS)?,
        status: text(columns::STATUS)?,
        inserted: number(result, columns::INSERTED),
        location: text(columns::LOCATION)?,
        last_key: text(columns::LAST_KEY)?,
        planned: None,
    })
}

/// The body; of `bytea` the bytes, which come in hexadecimal digits.
fn body(result: &ResultSet) -> Option<Bytes> {
    let value = result.rows.first()?.bytes(columns::BODY)?;
    let binary = result.columns.get(columns::BODY)?.type_oid == BYTEA;
    let Some(digits) = value.strip_prefix(b"\\x").filter(|_| binary) else {
        return Some(value);
    };
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

pub(super) fn number(result: &ResultSet, column: usize) -> Option<i64> {
    let value = result.rows.first()?.get(column)?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// `Plan Rows` of the outermost node.
pub(super) fn expected_rows(result: &ResultSet) -> Option<i64> {
    let plan: Value = serde_json::from_slice(&result.value()?).ok()?;
    plan.get(0)?.get("Plan")?.get("Plan Rows")?.as_i64()
}
