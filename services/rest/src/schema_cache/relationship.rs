//! Relationships between tables, as foreign keys and functions of rows tell them.

use serde::Deserialize;

use super::QualifiedName;

/// A way from the rows of one table to those of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relationship {
    pub table: QualifiedName,
    pub foreign_table: QualifiedName,
    pub cardinality: Cardinality,
}

/// How many rows belong to how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cardinality {
    ManyToOne(Key),
    OneToMany(Key),
    OneToOne(Key),
    ManyToMany(Box<Junction>),
    /// What a function of the row returns.
    Computed(Computed),
}

/// A function from a row to rows of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Computed {
    pub function: QualifiedName,
    pub rows: ComputedRows,
}

/// How many rows a function says it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ComputedRows {
    /// No set, or one declared `rows 1`.
    One,
    Many,
}

/// A function of a row as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct RowFunction {
    pub function: QualifiedName,
    pub table: QualifiedName,
    pub foreign_table: QualifiedName,
    pub single: bool,
}

/// The columns that hold two tables together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub constraint: String,
    /// Seen from the relationship's own table.
    pub columns: Vec<ColumnPair>,
    /// Whether the relationship's own table is the one that has the key.
    pub is_own: bool,
}

/// A column and its counterpart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ColumnPair {
    pub own: String,
    pub foreign: String,
}

/// A table between two others, with a foreign key to each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Junction {
    pub table: QualifiedName,
    pub constraint: String,
    pub foreign_constraint: String,
    /// Columns of the relationship's table with those of the junction.
    pub source: Vec<ColumnPair>,
    /// Columns of the foreign table with those of the junction.
    pub target: Vec<ColumnPair>,
}

impl Relationship {
    pub(crate) fn is_self(&self) -> bool {
        self.table == self.foreign_table
    }

    pub(crate) fn is_to_one(&self) -> bool {
        match &self.cardinality {
            Cardinality::ManyToOne(_) | Cardinality::OneToOne(_) => true,
            Cardinality::OneToMany(_) | Cardinality::ManyToMany(_) => false,
            Cardinality::Computed(computed) => computed.rows == ComputedRows::One,
        }
    }

    /// Whether a row of either side belongs to at most one of the other.
    pub(crate) fn is_one_to_one(&self) -> bool {
        matches!(self.cardinality, Cardinality::OneToOne(_))
    }

    /// The key, where no junction is between.
    pub(crate) fn key(&self) -> Option<&Key> {
        match &self.cardinality {
            Cardinality::ManyToOne(key)
            | Cardinality::OneToMany(key)
            | Cardinality::OneToOne(key) => Some(key),
            Cardinality::ManyToMany(_) | Cardinality::Computed(_) => None,
        }
    }

    /// The own columns that lead to the other rows; `None` where that is the whole row.
    pub(crate) fn own_columns(&self) -> Option<&[ColumnPair]> {
        match &self.cardinality {
            Cardinality::ManyToOne(key)
            | Cardinality::OneToMany(key)
            | Cardinality::OneToOne(key) => Some(&key.columns),
            Cardinality::ManyToMany(junction) => Some(&junction.source),
            Cardinality::Computed(_) => None,
        }
    }

    /// Whether `function`, which is a relationship of the same table, takes the place of this one.
    pub(crate) fn is_overridden_by(&self, function: &QualifiedName) -> bool {
        !matches!(self.cardinality, Cardinality::Computed(_)) && self.foreign_table == *function
    }

    /// The name to embed it by: the function's, or the foreign table's.
    pub(crate) fn target(&self) -> &str {
        match &self.cardinality {
            Cardinality::Computed(computed) => &computed.function.name,
            Cardinality::ManyToOne(_)
            | Cardinality::OneToMany(_)
            | Cardinality::OneToOne(_)
            | Cardinality::ManyToMany(_) => &self.foreign_table.name,
        }
    }
}

impl Key {
    /// Whether it is the one column `name` on this side.
    pub(crate) fn is_own_column(&self, name: &str) -> bool {
        matches!(self.columns.as_slice(), [pair] if pair.own == name)
    }

    /// Whether it is the one column `name` on the other side.
    pub(crate) fn is_foreign_column(&self, name: &str) -> bool {
        matches!(self.columns.as_slice(), [pair] if pair.foreign == name)
    }

    /// `constraint using table(columns) and foreign(columns)`.
    pub(crate) fn describe(&self, table: &str, foreign: &str) -> String {
        let own: Vec<&str> = self.columns.iter().map(|pair| pair.own.as_str()).collect();
        let others: Vec<&str> = self
            .columns
            .iter()
            .map(|pair| pair.foreign.as_str())
            .collect();
        format!(
            "{} using {table}({}) and {foreign}({})",
            self.constraint,
            own.join(", "),
            others.join(", ")
        )
    }
}

impl From<RowFunction> for Relationship {
    fn from(function: RowFunction) -> Self {
        Self {
            table: function.table,
            foreign_table: function.foreign_table,
            cardinality: Cardinality::Computed(Computed {
                function: function.function,
                rows: if function.single {
                    ComputedRows::One
                } else {
                    ComputedRows::Many
                },
            }),
        }
    }
}
