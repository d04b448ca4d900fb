//! Fields of a request, resolved against the columns they name.

use std::collections::BTreeSet;

use crate::request::filter::{Filter, LogicOperator, LogicTree, Operation};
use crate::request::names::{Field, JsonStep};
use crate::schema_cache::table::Table;

/// A column of a known or unknown type, and the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub path: Vec<JsonStep>,
    /// Whether it has to become JSON before a path leads into it.
    pub to_jsonb: bool,
}

/// A condition on the rows of one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Filter {
        column: Column,
        /// Whether a full-text search has to turn the column into a `tsvector`.
        to_tsvector: bool,
        negated: bool,
        operation: Operation,
    },
    Group {
        negated: bool,
        operator: LogicOperator,
        members: Vec<Condition>,
    },
    /// Whether an embedded resource has rows.
    Embedded {
        /// The alias of the embed.
        alias: String,
        /// Whether it is to-many, whose rows are gathered in one column.
        gathered: bool,
        /// `not.is.null`.
        present: bool,
    },
}

impl Column {
    /// Resolves `field` of `table`; of a relation that is not known the types are not either.
    pub(crate) fn resolve(field: &Field, table: Option<&Table>) -> Self {
        let known = table.and_then(|table| table.column(&field.name));
        let is_json = known.is_some_and(|column| is_json(column.type_name.as_str()));
        Self {
            name: field.name.clone(),
            path: field.path.clone(),
            to_jsonb: !field.path.is_empty() && !is_json,
        }
    }
}

fn is_json(type_name: &str) -> bool {
    type_name == "json" || type_name == "jsonb"
}

impl Condition {
    /// Resolves a filter on `table`.
    pub(crate) fn of_filter(filter: &Filter, table: Option<&Table>) -> Self {
        let column = Column::resolve(&filter.field, table);
        let known = table.and_then(|table| table.column(&filter.field.name));
        let is_vector = known.is_none_or(|column| column.type_name.as_str() == "tsvector");
        Self::Filter {
            to_tsvector: !is_vector || !column.path.is_empty(),
            column,
            negated: filter.negated,
            operation: filter.operation.clone(),
        }
    }

    /// Adds the names of the columns it asks about.
    pub(crate) fn add_columns(&self, names: &mut BTreeSet<String>) {
        match self {
            Self::Filter { column, .. } => {
                names.insert(column.name.clone());
            }
            Self::Group { members, .. } => {
                for member in members {
                    member.add_columns(names);
                }
            }
            Self::Embedded { .. } => {}
        }
    }

    /// Resolves a tree of filters on `table`.
    pub(crate) fn of_tree(tree: &LogicTree, table: Option<&Table>) -> Self {
        match tree {
            LogicTree::Filter(filter) => Self::of_filter(filter, table),
            LogicTree::Group {
                negated,
                operator,
                members,
            } => Self::Group {
                negated: *negated,
                operator: *operator,
                members: members
                    .iter()
                    .map(|member| Self::of_tree(member, table))
                    .collect(),
            },
        }
    }
}
