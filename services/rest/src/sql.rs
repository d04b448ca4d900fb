//! The third stage: a plan as SQL text and values. Pure, and the only place where SQL is written.
//!
//! A plan of the same shape gives the same text, whatever its values: statements stay prepared.

mod call;
mod condition;
mod explain;
mod fragment;
pub(crate) mod idempotency;
mod keyset;
pub(crate) mod lines;
mod mutate;
mod operators;
pub(crate) mod plain;
mod read;
mod select;
mod types;
mod wrap;

#[cfg(test)]
mod tests;

pub(crate) use fragment::{Sql, array_literal};

use crate::plan::plain::RowForm;
use crate::plan::{Plan, Work};
use crate::request::Answer;
use crate::request::preferences::{Count, Representation};

/// The statements of a plan.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Answers one row of the columns in [`columns`].
    pub main: Sql,
    /// Answers how many rows Postgres expects, as the JSON of `explain`.
    pub planned_count: Option<Sql>,
}

/// The columns of the main statement's one row, in order.
pub(crate) mod columns {
    pub(crate) const TOTAL: usize = 0;
    pub(crate) const ROWS: usize = 1;
    pub(crate) const BODY: usize = 2;
    pub(crate) const HEADERS: usize = 3;
    pub(crate) const STATUS: usize = 4;
    /// How many rows an upsert inserted rather than updated.
    pub(crate) const INSERTED: usize = 5;
    /// The primary key of the one inserted row, as a JSON object of texts.
    pub(crate) const LOCATION: usize = 6;
    /// The key of a page's last row, as a JSON list of texts.
    pub(crate) const LAST_KEY: usize = 7;
}

/// Writes the statements of `plan`, for rows that come as `rows`. An estimated count is exact up to `max_rows`.
pub(crate) fn statements(plan: &Plan, rows: RowForm, max_rows: Option<i64>) -> Statements {
    let main = match &plan.work {
        Work::Read { read, .. } if rows == RowForm::Plain => plain::read(plan, read, max_rows),
        Work::Read { read, answer, .. } => wrap::read(plan, read, *answer, max_rows),
        Work::Mutate {
            mutation,
            read,
            representation,
        } => {
            let shown = match representation {
                Representation::Full => Answer::Body,
                Representation::Minimal | Representation::HeadersOnly => Answer::HeadersOnly,
            };
            wrap::mutate(plan, mutation, read, shown)
        }
        Work::Call {
            call,
            read,
            routine,
            answer,
        } => wrap::call(plan, (call, routine), read, *answer),
    };
    let main = match &plan.negotiated.explain {
        Some(explain) => main.explained(explain),
        None => main,
    };
    let planned_count = match (&plan.work, plan.count) {
        (Work::Read { read, .. }, Some(Count::Planned | Count::Estimated)) => {
            Some(wrap::explain_count(read))
        }
        (Work::Read { .. } | Work::Mutate { .. } | Work::Call { .. }, _) => None,
    };
    Statements {
        main,
        planned_count,
    }
}
