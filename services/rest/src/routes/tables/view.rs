//! A table as this API shows it.

use serde::Serialize;

use crate::access::Caller;
use crate::schema_cache::SchemaCache;
use crate::schema_cache::table::{DefaultExpression, Table};

/// A table.
#[derive(Debug, Serialize)]
pub(in crate::routes) struct TableResponse<'t> {
    pub name: &'t str,
    description: Option<&'t str>,
    is_public: bool,
    is_view: bool,
    column_count: usize,
    primary_key: &'t [String],
    columns: Vec<ColumnResponse<'t>>,
}

/// A column.
#[derive(Debug, Serialize)]
pub(super) struct ColumnResponse<'t> {
    name: &'t str,
    #[serde(rename = "type")]
    type_name: &'t str,
    description: Option<&'t str>,
    nullable: bool,
    default: Option<&'t str>,
    primary_key: bool,
}

impl<'t> From<&'t Table> for TableResponse<'t> {
    fn from(table: &'t Table) -> Self {
        Self {
            name: &table.name.name,
            description: table.description.as_deref(),
            is_public: table.is_public,
            is_view: table.is_view,
            column_count: table.columns.len(),
            primary_key: &table.primary_key,
            columns: columns(table),
        }
    }
}

/// The columns of a table.
pub(super) fn columns(table: &Table) -> Vec<ColumnResponse<'_>> {
    table
        .columns
        .iter()
        .map(|known| ColumnResponse {
            name: &known.name,
            type_name: known.type_name.as_str(),
            description: known.description.as_deref(),
            nullable: known.nullable,
            default: known.default.as_ref().map(DefaultExpression::as_str),
            primary_key: table.primary_key.contains(&known.name),
        })
        .collect()
}

/// Whether `caller` may know that the table is there: administration knows all, a user what is
/// exposed to users, and anybody what is public.
pub(super) fn is_visible(schema: &SchemaCache, table: &Table, caller: &Caller) -> bool {
    caller.admin || table.is_public || (caller.authenticated && schema.is_granted_to_users(table))
}
