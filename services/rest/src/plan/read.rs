//! What is read: one relation, what is embedded in its rows, and so on down.

use std::collections::BTreeSet;

use super::field::{Column, Condition};
use super::keyset::Keyset;
use crate::request::order::{Direction, Nulls};
use crate::request::range::RowRange;
use crate::request::select::{Aggregate, JoinType};
use crate::schema_cache::QualifiedName;

/// A query of one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadPlan {
    pub source: Source,
    pub select: Vec<Selected>,
    pub conditions: Vec<Condition>,
    /// What ties the rows to their parent's.
    pub joins: Vec<JoinCondition>,
    pub order: Vec<Order>,
    pub range: RowRange,
    pub embeds: Vec<Embed>,
    /// Where the page begins, of rows that are paged.
    pub keyset: Option<Keyset>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Relation(QualifiedName),
    /// An embedded relation, under an alias; a junction comes along where one is between.
    Aliased {
        relation: QualifiedName,
        alias: String,
        junction: Option<(QualifiedName, String)>,
    },
    /// What a function makes of the parent's row.
    Computed {
        function: QualifiedName,
        row: TableRef,
        /// The table that the row is of.
        row_type: QualifiedName,
        alias: String,
    },
    /// The rows that a write or a function returned.
    Returned,
}

/// How columns say which relation they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableRef {
    Qualified(QualifiedName),
    Alias(String),
}

/// The name of the common table expression that holds what a write or a function returned.
pub(crate) const RETURNED: &str = "pgrst_source";

/// One entry of the select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected {
    All,
    Column {
        column: Column,
        cast: Option<String>,
        aggregate: Option<Aggregate>,
        alias: Option<String>,
    },
    /// The number of rows.
    Rows {
        aggregate: Aggregate,
        alias: Option<String>,
    },
}

/// In which form an embed's columns come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As an object, or a list of objects.
    Nested,
    /// Among those of the parent; of a to-many embed each as a list.
    Spread(Vec<SpreadColumn>),
}

/// One column of an embed among those of its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpreadColumn {
    pub value: SpreadValue,
    /// Its key in the answer.
    pub name: String,
    /// What the parent makes of many rows' values.
    pub aggregate: Option<Aggregate>,
}

/// What a spread column is of the embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SpreadValue {
    Column(String),
    /// The whole row.
    Row,
}

/// One key of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// The alias of the to-one embed that has the column.
    pub embed: Option<String>,
    pub column: Column,
    pub direction: Option<Direction>,
    pub nulls: Option<Nulls>,
}

/// Two columns that have to be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinCondition {
    pub left: (TableRef, String),
    pub right: (TableRef, String),
}

/// A relation inside the rows of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Embed {
    /// Its key in the answer.
    pub name: String,
    /// The alias of its lateral subquery.
    pub alias: String,
    pub to_one: bool,
    pub join: JoinType,
    pub shape: Shape,
    pub read: ReadPlan,
    /// The own columns of the parent that lead here; `None` for the whole row.
    pub needs: Option<Vec<String>>,
}

impl Source {
    /// How columns of this source are written.
    pub(crate) fn reference(&self) -> TableRef {
        match self {
            Self::Relation(name) => TableRef::Qualified(name.clone()),
            Self::Aliased { alias, .. } | Self::Computed { alias, .. } => {
                TableRef::Alias(alias.clone())
            }
            Self::Returned => TableRef::Alias(RETURNED.to_owned()),
        }
    }
}

impl Embed {
    /// Whether the answer shows nothing of it: `embedded()`.
    pub(crate) fn is_empty(&self) -> bool {
        let shown = match &self.shape {
            Shape::Nested => &[][..],
            Shape::Spread(columns) => columns,
        };
        shown.is_empty()
            && self.read.select.is_empty()
            && self.read.embeds.iter().all(Self::is_empty)
    }

    /// Whether its columns make the parent one row for many.
    pub(crate) fn is_aggregated(&self) -> bool {
        match &self.shape {
            Shape::Nested => false,
            Shape::Spread(columns) => columns.iter().any(|column| column.aggregate.is_some()),
        }
    }
}

impl Selected {
    pub(crate) fn aggregate(&self) -> Option<&Aggregate> {
        match self {
            Self::Column { aggregate, .. } => aggregate.as_ref(),
            Self::Rows { aggregate, .. } => Some(aggregate),
            Self::All => None,
        }
    }
}

impl ReadPlan {
    /// Whether one row of the answer stands for many.
    pub(crate) fn is_aggregated(&self) -> bool {
        let selected = self.select.iter();
        let mut aggregates = selected.filter_map(Selected::aggregate);
        aggregates.next().is_some() || self.embeds.iter().any(Embed::is_aggregated)
    }

    /// How many entries its select list has.
    pub(crate) fn entries(&self) -> usize {
        let embeds = self.embeds.iter().filter(|embed| !embed.is_empty());
        self.select.len() + embeds.count()
    }

    /// The columns that a write or a function has to return for this plan to read them; `None`
    /// for all of them.
    pub(crate) fn needed_columns(&self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for selected in &self.select {
            match selected {
                Selected::All => return None,
                Selected::Column { column, .. } => names.push(column.name.clone()),
                Selected::Rows { .. } => {}
            }
        }
        for embed in &self.embeds {
            names.extend(embed.needs.clone()?);
        }
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// The columns that this plan names anywhere at its root.
    pub(crate) fn used_columns(&self) -> BTreeSet<String> {
        let selected = self.select.iter().filter_map(|selected| match selected {
            Selected::All | Selected::Rows { .. } => None,
            Selected::Column { column, .. } => Some(column.name.clone()),
        });
        let ordered = self.order.iter().filter(|order| order.embed.is_none());
        let mut used: BTreeSet<String> = selected
            .chain(ordered.map(|order| order.column.name.clone()))
            .collect();
        for condition in &self.conditions {
            condition.add_columns(&mut used);
        }
        used
    }
}
