//! Tables and views.

use serde::Deserialize;

use super::QualifiedName;

/// A table, a view, or what else rows are read from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Table {
    #[serde(flatten)]
    pub name: QualifiedName,
    pub description: Option<String>,
    pub is_view: bool,
    pub writable: Writable,
    /// Whether its flag opens it to everybody.
    pub is_public: bool,
    /// In the order of the table.
    pub columns: Vec<Column>,
    /// In the order of the key.
    pub primary_key: Vec<String>,
}

/// What can be written: all of a table, and of a view what Postgres can trace to one.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Writable {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Column {
    pub name: String,
    pub description: Option<String>,
    /// The type as SQL writes it, qualified where it is not in `pg_catalog`.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    pub nullable: bool,
    /// The default, as SQL; of an identity column what gives its next number.
    pub default: Option<DefaultExpression>,
    /// Whether Postgres computes it and nobody writes it.
    pub generated: bool,
    pub max_length: Option<i32>,
    /// The labels of an enum.
    pub labels: Vec<String>,
}

/// A type's name as Postgres prints it. It only ever comes from the catalogue, so it may be
/// written into SQL as it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct TypeName(String);

impl TypeName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A column default as Postgres prints it. It only ever comes from the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct DefaultExpression(String);

impl DefaultExpression {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
