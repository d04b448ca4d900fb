//! `amount.sum()::int`, `count()`: what many rows come to.

use crate::request::cursor::{Cursor, Mismatch};

/// A function over the values of many rows, and the type its result is cast to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aggregate {
    pub function: AggregateFunction,
    pub cast: Option<String>,
}

/// What is made of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AggregateFunction {
    Average,
    Count,
    Maximum,
    Minimum,
    Sum,
}

impl AggregateFunction {
    const ALL: [Self; 5] = [
        Self::Average,
        Self::Count,
        Self::Maximum,
        Self::Minimum,
        Self::Sum,
    ];

    /// The name, which is also the key in the answer where it has no alias.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Average => "avg",
            Self::Count => "count",
            Self::Maximum => "max",
            Self::Minimum => "min",
            Self::Sum => "sum",
        }
    }
}

/// `.sum()` after a field, where it comes next.
pub(super) fn after_field(cursor: &mut Cursor<'_>) -> Result<Option<Aggregate>, Mismatch> {
    if !cursor.eat(".") {
        return Ok(None);
    }
    let before = cursor.clone();
    let word = cursor.take_while(|character| character.is_ascii_alphabetic());
    let mut known = AggregateFunction::ALL.into_iter();
    let Some(function) = known.find(|function| function.name() == word) else {
        return Err(before.unexpected("\"sum\", \"avg\", \"count\", \"max\" or \"min\""));
    };
    cursor.expect("()")?;
    let cast = super::optional_cast(cursor)?;
    Ok(Some(Aggregate { function, cast }))
}

/// `()` after the name `count`, which counts rows.
pub(super) fn of_rows(cursor: &mut Cursor<'_>, name: &str) -> Result<Option<Aggregate>, Mismatch> {
    if name != "count" || !cursor.eat("()") {
        return Ok(None);
    }
    let function = AggregateFunction::Count;
    let cast = super::optional_cast(cursor)?;
    Ok(Some(Aggregate { function, cast }))
}
