//! Fields of a request, resolved against the columns they name.

use std::collections::BTreeSet;

use crate::request::filter::{Filter, LogicOperator, LogicTree, Operation};
use crate::request::names::{Field, JsonArrow, JsonStep};
use crate::schema_cache::QualifiedName;
use crate::schema_cache::representation::Representations;
use crate::schema_cache::table::Table;

/// A column of a known or unknown type, and the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub path: Vec<JsonStep>,
    /// Whether it has to become JSON before a path leads into it.
    pub to_jsonb: bool,
    /// What makes JSON of a value, where the answer shows it otherwise than it is stored.
    pub shown: Option<QualifiedName>,
}

/// A condition on the rows of one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Filter {
        column: Column,
        /// What reads the value that is compared with.
        parse: Option<QualifiedName>,
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
    /// Resolves `field` of `table` to be compared or sorted by, which a part of `json` cannot be.
    pub(crate) fn comparable(field: &Field, table: Option<&Table>) -> Self {
        let column = Self::resolve(field, table);
        let known = table.and_then(|table| table.column(&field.name));
        let is_json = known.is_some_and(|column| column.type_name.as_str() == "json");
        let last = column.path.last();
        let is_part = last.is_some_and(|step| step.arrow == JsonArrow::Json);
        Self {
            to_jsonb: column.to_jsonb || (is_json && is_part),
            ..column
        }
    }

    /// Resolves `field` of `table`; of a relation that is not known the types are not either.
    pub(crate) fn resolve(field: &Field, table: Option<&Table>) -> Self {
        let known = table.and_then(|table| table.column(&field.name));
        let is_json = known.is_some_and(|column| is_json(column.type_name.as_str()));
        Self {
            name: field.name.clone(),
            path: field.path.clone(),
            to_jsonb: !field.path.is_empty() && !is_json,
            shown: None,
        }
    }

    /// Whether both are the same place in the same column.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.name == other.name && self.path == other.path
    }
}

fn is_json(type_name: &str) -> bool {
    type_name == "json" || type_name == "jsonb"
}

impl Condition {
    /// Resolves a filter on `table`.
    pub(crate) fn of_filter(
        filter: &Filter,
        table: Option<&Table>,
        representations: &Representations,
    ) -> Self {
        let column = Column::comparable(&filter.field, table);
        let known = table.and_then(|table| table.column(&filter.field.name));
        let is_vector = known.is_none_or(|column| column.type_name.as_str() == "tsvector");
        let represented = table.and_then(|table| representations.of(table, &column.name));
        let represented = represented.filter(|_| column.path.is_empty());
        Self::Filter {
            parse: represented.and_then(|known| known.from_text.clone()),
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
    pub(crate) fn of_tree(
        tree: &LogicTree,
        table: Option<&Table>,
        representations: &Representations,
    ) -> Self {
        match tree {
            LogicTree::Filter(filter) => Self::of_filter(filter, table, representations),
            LogicTree::Group {
                negated,
                operator,
                members,
            } => Self::Group {
                negated: *negated,
                operator: *operator,
                members: members
                    .iter()
                    .map(|member| Self::of_tree(member, table, representations))
                    .collect(),
            },
        }
    }
}
