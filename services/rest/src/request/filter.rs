//! Filters: `column=operator.value`, and the boolean trees of `and` and `or`.

mod operators;
mod parse;

pub(crate) use parse::{condition, group};

use super::names::Field;

/// A condition on one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub field: Field,
    pub negated: bool,
    pub operation: Operation,
}

/// An operator with its operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    Simple(SimpleOperator, String),
    Quantified(QuantifiedOperator, Option<Quantifier>, String),
    In(Vec<String>),
    Is(IsValue),
    IsDistinct(String),
    TextSearch {
        operator: TextSearchOperator,
        config: Option<String>,
        query: String,
    },
}

/// Operators that take one value as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SimpleOperator {
    NotEqual,
    Contains,
    Contained,
    Overlaps,
    StrictlyLeft,
    StrictlyRight,
    NotExtendsRight,
    NotExtendsLeft,
    Adjacent,
}

/// Operators that may compare with any or all of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuantifiedOperator {
    Equal,
    GreaterThanEqual,
    GreaterThan,
    LessThanEqual,
    LessThan,
    Like,
    ILike,
    Match,
    IMatch,
}

/// How an array operand is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Any,
    All,
}

/// What `is` compares with; keywords of SQL, so never text of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IsValue {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

/// How the query of a full-text search is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextSearchOperator {
    Plainly,
    Words,
    Phrase,
    Web,
}

/// A boolean tree of filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogicTree {
    Filter(Filter),
    Group {
        negated: bool,
        operator: LogicOperator,
        members: Vec<LogicTree>,
    },
}

/// How the members of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogicOperator {
    And,
    Or,
}
