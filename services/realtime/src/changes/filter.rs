//! Conditions on columns: `status=in.(new,open),owner=eq.7`. Commas join by AND; `not.` negates;
//! values with reserved characters stand in double quotes. Nulls are as in SQL: a comparison with
//! null is neither true nor false, and what is not true does not match.

mod text;

use std::cmp::Ordering;

pub use text::{ShownPart, parts};

use regex::{Regex, RegexBuilder};

use super::compare;
use crate::replication::types::{Kind, Scalar};
use crate::replication::{Cell, Relation, Row};
use text::{Part, split_outside, unquoted};

/// How many values a list may have.
const MAX_LIST: usize = 100;
/// What a regular expression may take of memory.
const MAX_EXPRESSION_BYTES: usize = 256 * 1024;

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(pub Vec<Condition>);

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column's name.
    pub column: String,
    /// Whether the opposite must hold.
    pub negated: bool,
    /// What must hold.
    pub test: Test,
}

/// What is tested of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// How it compares to another.
    Compare(Comparison, String),
    /// Whether it is one of these.
    In(Vec<String>),
    /// Whether it matches a pattern of `%` and `_`.
    Like {
        /// The pattern.
        pattern: String,
        /// Whether case is ignored.
        ignore_case: bool,
    },
    /// Whether it matches a regular expression.
    Match(Expression),
    /// `is.null`, `is.true`, `is.false`, `is.unknown`.
    Is(Option<bool>),
    /// Whether it differs, null being a value like any other.
    IsDistinct(String),
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Expression(Regex);

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Expression {}

/// The comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
}

/// A filter that cannot be used, in words for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Not `column=operator.value`: the part that could not be split.
    #[error("[{0:?}]")]
    Form(String),
    /// An operator that is not known, and its value.
    #[error("[{0:?}, {1:?}]")]
    Operator(String, String),
    /// A list that does not stand in parentheses.
    #[error("`in` filter value must be wrapped by parentheses")]
    List,
    /// A value its operator cannot take.
    #[error("the filter value `{0}` does not fit its operator")]
    Value(String),
    /// A list that is too long.
    #[error("too many values for `in` filter. Maximum 100")]
    TooMany,
    /// A regular expression that cannot be read.
    #[error("invalid regular expression `{0}`")]
    Expression(String),
    /// An operator that the column's type does not have.
    #[error("operator {0} is not supported on column `{1}`")]
    Unsupported(&'static str, String),
}

impl Filter {
    /// Reads a filter's text; empty text is no condition.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = split_outside(text).ok_or_else(|| FilterError::Form(text.to_owned()))?;
        parts
            .into_iter()
            .map(Condition::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether all conditions hold for `row`.
    pub fn matches(&self, relation: &Relation, row: &Row) -> bool {
        self.0
            .iter()
            .all(|condition| condition.holds(relation, row) == Some(true))
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, FilterError> {
        let part = Part::read(text)?;
        Ok(Self {
            column: part.column.to_owned(),
            negated: part.negated,
            test: Test::parse(part.operator, part.value)?,
        })
    }

    fn holds(&self, relation: &Relation, row: &Row) -> Option<bool> {
        let index = relation.column(&self.column)?;
        let kind = &relation.columns.get(index)?.kind;
        let holds = self.test.holds(kind, row.cell(index))?;
        Some(holds != self.negated)
    }

    /// Whether a value of the condition cannot be compared with a column of this kind.
    pub fn misfit(&self, kind: &Kind) -> Option<FilterError> {
        let (values, operator): (&[String], _) = match &self.test {
            Test::Compare(_, value) | Test::IsDistinct(value) => {
                (std::slice::from_ref(value), None)
            }
            Test::In(values) => (values, None),
            Test::Like { .. } => (&[], Some(("like", Scalar::Text))),
            Test::Match(_) => (&[], Some(("match", Scalar::Text))),
            Test::Is(Some(_)) => (&[], Some(("is", Scalar::Bool))),
            Test::Is(None) => (&[], None),
        };
        let padded = *kind == Kind::Scalar(Scalar::Padded);
        if let Some((operator, scalar)) = operator
            && *kind != Kind::Scalar(scalar)
            && !(padded && scalar == Scalar::Text)
        {
            return Some(FilterError::Unsupported(operator, self.column.clone()));
        }
        let unfit = values.iter().find(|value| !compare::fits(kind, value));
        unfit.map(|value| FilterError::Value(value.clone()))
    }
}

impl Test {
    fn parse(operator: &str, value: &str) -> Result<Self, FilterError> {
        let unfit = || FilterError::Value(value.to_owned());
        let like = |ignore_case| Self::Like {
            pattern: unquoted(value),
            ignore_case,
        };
        let compare = |comparison| Self::Compare(comparison, unquoted(value));
        Ok(match operator {
            "eq" => compare(Comparison::Eq),
            "neq" => compare(Comparison::Neq),
            "lt" => compare(Comparison::Lt),
            "lte" => compare(Comparison::Lte),
            "gt" => compare(Comparison::Gt),
            "gte" => compare(Comparison::Gte),
            "like" => like(false),
            "ilike" => like(true),
            "match" => Self::Match(Expression::new(&unquoted(value), Case::Matters)?),
            "imatch" => Self::Match(Expression::new(&unquoted(value), Case::Ignored)?),
            "isdistinct" => Self::IsDistinct(unquoted(value)),
            "is" => Self::Is(match value.to_ascii_lowercase().as_str() {
                "null" | "unknown" => None,
                "true" => Some(true),
                "false" => Some(false),
                _ => return Err(unfit()),
            }),
            "in" => {
                let list = value
                    .strip_prefix('(')
                    .and_then(|list| list.strip_suffix(')'));
                let list = list.ok_or(FilterError::List)?;
                let items = split_outside(list).ok_or_else(unfit)?;
                if items.len() > MAX_LIST {
                    return Err(FilterError::TooMany);
                }
                Self::In(items.into_iter().map(unquoted).collect())
            }
            _ => return Err(FilterError::Operator(operator.to_owned(), value.to_owned())),
        })
    }

    fn holds(&self, kind: &Kind, cell: &Cell) -> Option<bool> {
        if *cell == Cell::Unknown {
            return None;
        }
        match self {
            Self::Is(None) => Some(*cell == Cell::Null),
            Self::Is(Some(expected)) => {
                Some(cell.text().and_then(compare::boolean) == Some(*expected))
            }
            Self::IsDistinct(value) => match cell.text() {
                None => Some(value != "null"),
                Some(text) => Some(compare::compare(kind, text, value) != Some(Ordering::Equal)),
            },
            Self::Compare(comparison, value) => {
                let ordering = compare::compare(kind, cell.text()?, value)?;
                Some(comparison.holds(ordering))
            }
            Self::In(values) => {
                let text = cell.text()?;
                let equal =
                    |value: &String| compare::compare(kind, text, value) == Some(Ordering::Equal);
                Some(values.iter().any(equal))
            }
            Self::Like {
                pattern,
                ignore_case,
            } => Some(compare::like(cell.text()?, pattern, *ignore_case)),
            Self::Match(Expression(regex)) => Some(regex.is_match(cell.text()?)),
        }
    }
}

/// Whether case matters in a regular expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Matters,
    Ignored,
}

impl Expression {
    fn new(text: &str, case: Case) -> Result<Self, FilterError> {
        let built = RegexBuilder::new(text)
            .case_insensitive(case == Case::Ignored)
            .size_limit(MAX_EXPRESSION_BYTES)
            .dfa_size_limit(MAX_EXPRESSION_BYTES)
            .build();
        built
            .map(Self)
            .map_err(|_| FilterError::Expression(text.to_owned()))
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Neq => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::Lte => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Gte => ordering.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests;
