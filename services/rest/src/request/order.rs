//! `order=column.desc.nullslast,embedded(column)`.

use super::cursor::{Cursor, Mismatch};
use super::names::{self, Field};

/// One key of the order of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderTerm {
    /// The embedded to-one resource whose field this is.
    pub relation: Option<String>,
    pub field: Field,
    pub direction: Option<Direction>,
    pub nulls: Option<Nulls>,
}

/// Upwards or downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// Where nulls come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    First,
    Last,
}

/// The whole parameter.
pub(crate) fn order(cursor: &mut Cursor<'_>) -> Result<Vec<OrderTerm>, Mismatch> {
    let mut terms = vec![term(cursor)?];
    while cursor.eat(",") {
        terms.push(term(cursor)?);
    }
    cursor.expect_end()?;
    Ok(terms)
}

fn term(cursor: &mut Cursor<'_>) -> Result<OrderTerm, Mismatch> {
    cursor.skip_blanks();
    let mut field = names::field(cursor)?;
    let mut relation = None;
    if field.path.is_empty() && cursor.eat("(") {
        relation = Some(field.name);
        field = names::field(cursor)?;
        cursor.expect(")")?;
    }
    let direction = direction(cursor);
    let nulls = nulls(cursor);
    cursor.skip_blanks();
    if cursor.at_end() || cursor.starts_with(",") {
        return Ok(OrderTerm {
            relation,
            field,
            direction,
            nulls,
        });
    }
    let expecting = match (cursor.eat("."), direction, nulls) {
        (true, None, None) => "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
        (true, Some(_), None) => "\"nullsfirst\" or \"nullslast\"",
        (false, _, None) => "delimiter (.), \",\" or end of input",
        (_, _, Some(_)) => "\",\" or end of input",
    };
    Err(cursor.unexpected(expecting))
}

fn direction(cursor: &mut Cursor<'_>) -> Option<Direction> {
    if cursor.eat(".asc") {
        Some(Direction::Ascending)
    } else if cursor.eat(".desc") {
        Some(Direction::Descending)
    } else {
        None
    }
}

fn nulls(cursor: &mut Cursor<'_>) -> Option<Nulls> {
    if cursor.eat(".nullsfirst") {
        Some(Nulls::First)
    } else if cursor.eat(".nullslast") {
        Some(Nulls::Last)
    } else {
        None
    }
}
