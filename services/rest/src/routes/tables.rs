//! `/api/v1/tables`: tables made and changed by administration, and their rows page by page.

mod administration;
mod columns;
mod create;
mod data;
mod definition;
mod delete;
mod get;
mod list;
mod rows;
mod update;
mod view;

pub(super) use administration::Administration;
pub(super) use columns::{create_column, delete_column, update_column};
pub(super) use create::create_table;
pub(super) use data::list_rows;
pub(super) use definition::get_table_sql;
pub(super) use delete::delete_table;
pub(super) use get::get_table;
pub(super) use list::list_tables;
pub(super) use rows::{create_rows, delete_row, update_row};
pub(super) use update::update_table;
pub(super) use view::TableResponse;

use axum::body::Body;
use http::Method;
use serde::de::DeserializeOwned;

use super::resource::read_body;
use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, Error};
use crate::plan::find_table;
use crate::schema_cache::SchemaCache;
use crate::schema_cache::table::Table;

/// Where the platform's own tables API works.
pub(super) const SCHEMA: &str = "public";

/// The table called `name`, as far as `caller` may know of it.
fn visible<'c>(schema: &'c SchemaCache, caller: &Caller, name: &str) -> Result<&'c Table, Error> {
    let table = find_table(schema, SCHEMA, name)?;
    if view::is_visible(schema, table, caller) {
        return Ok(table);
    }
    Err(crate::error::CacheError::NoTable {
        schema: SCHEMA.to_owned(),
        table: name.to_owned(),
        suggestion: None,
    }
    .into())
}

/// A column whose name may hold anything, as the query grammar writes it.
fn quoted(column: &str) -> String {
    format!("\"{}\"", column.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A JSON body.
pub(super) async fn json<T: DeserializeOwned>(app: &App, body: Body) -> Result<T, Error> {
    let body = read_body(&Method::POST, body, app.config.max_body_bytes).await?;
    serde_json::from_slice(&body)
        .map_err(|error| ApiError::Body(format!("The body does not fit: {error}")).into())
}
