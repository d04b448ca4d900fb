//! What came of rows that Postgres sent as they are.

use bytes::Bytes;
use pg::pipeline::{ResultSet, Row};

use super::Outcome;
use crate::plan::negotiate::Format;
use crate::response::json::{RowWriter, Unexpected};
use crate::sql::plain::columns;

/// The body that `result` comes to, and what its last row tells.
pub(super) fn outcome(result: Option<&ResultSet>, format: &Format) -> Result<Outcome, Unexpected> {
    let result = result.ok_or(Unexpected)?;
    let shown = result.columns.get(columns::COUNT..).ok_or(Unexpected)?;
    let writer = RowWriter::new(shown)?;
    let is_list = *format == Format::Json;
    let mut body = Vec::with_capacity(result.rows.bytes());
    if is_list {
        body.push(b'[');
    }
    let mut outcome = Outcome::default();
    for row in result.rows.iter() {
        if row.get(columns::TOTAL).is_some() {
            tell(&mut outcome, &row)?;
        } else {
            outcome.rows += 1;
            writer.add(&mut body, row.values().skip(columns::COUNT))?;
        }
    }
    if is_list {
        body.push(b']');
    }
    outcome.body = Bytes::from(body);
    Ok(outcome)
}

/// Takes in the row that tells of the response.
fn tell(outcome: &mut Outcome, row: &Row<'_>) -> Result<(), Unexpected> {
    let text = |column| {
        let value = row.get(column).map(std::str::from_utf8).transpose();
        value.map_err(|_| Unexpected)
    };
    let total = text(columns::TOTAL)?.and_then(|total| total.parse::<i64>().ok());
    outcome.total = total.filter(|total| *total >= 0);
    outcome.headers = text(columns::HEADERS)?.map(str::to_owned);
    outcome.status = text(columns::STATUS)?.map(str::to_owned);
    Ok(())
}
