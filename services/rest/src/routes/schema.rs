//! `GET /api/v1/schema` and `GET /api/v1/schema/visualization`: what there is, for administration.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use serde::Serialize;
use serde_json::json;

use super::tables::{SCHEMA, TableResponse};
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;
use crate::schema_cache::relationship::{Cardinality, Relationship};
use crate::schema_cache::routine::Routine;
use crate::schema_cache::{QualifiedName, SchemaCache};

/// A foreign key.
#[derive(Debug, Serialize)]
struct ForeignKeyResponse<'c> {
    constraint: &'c str,
    table: &'c str,
    columns: Vec<&'c str>,
    foreign_table: &'c str,
    foreign_columns: Vec<&'c str>,
    /// Whether at most one row refers to each.
    unique: bool,
}

/// The tables, keys and functions.
pub(crate) async fn get_schema(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    Caller::of(&app, &headers)?.require_admin()?;
    let schema = app.schema()?;
    let tables: Vec<TableResponse<'_>> = tables(&schema).collect();
    let functions = schema.routines.range(first()..).flat_map(|(_, all)| all);
    let functions = functions.take_while(|routine| routine.name.schema == SCHEMA);
    let functions: Vec<_> = functions.map(function).collect();
    let shown = json!({
        "schema": SCHEMA,
        "tables": tables,
        "foreign_keys": foreign_keys(&schema),
        "functions": functions,
    });
    Ok(Json(shown).into_response())
}

/// The same tables and keys as a graph.
pub(crate) async fn get_schema_graph(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    Caller::of(&app, &headers)?.require_admin()?;
    let schema = app.schema()?;
    let nodes: Vec<_> = tables(&schema)
        .map(|table| json!({ "id": table.name, "label": table.name, "data": table }))
        .collect();
    let edges: Vec<_> = foreign_keys(&schema)
        .into_iter()
        .map(|key| {
            json!({
                "id": format!("{}.{}", key.table, key.constraint),
                "source": key.table,
                "target": key.foreign_table,
                "label": key.constraint,
                "data": key,
            })
        })
        .collect();
    Ok(Json(json!({ "nodes": nodes, "edges": edges })).into_response())
}

/// Before every name of the schema.
fn first() -> QualifiedName {
    QualifiedName::new(SCHEMA, "")
}

fn tables(schema: &SchemaCache) -> impl Iterator<Item = TableResponse<'_>> {
    let tables = schema.tables.range(first()..).map(|(_, table)| table);
    let tables = tables.take_while(|table| table.name.schema == SCHEMA);
    tables.map(|table| TableResponse::from(&**table))
}

fn foreign_keys(schema: &SchemaCache) -> Vec<ForeignKeyResponse<'_>> {
    let tables = schema.tables.range(first()..).map(|(_, table)| table);
    let tables = tables.take_while(|table| table.name.schema == SCHEMA);
    // A view has the keys of its tables, but they are not its own.
    let tables = tables.filter(|table| !table.is_view);
    let known = tables.flat_map(|table| schema.relationships_of(&table.name));
    let known = known.filter(|relationship| {
        let foreign = schema.table(&relationship.foreign_table);
        foreign.is_some_and(|foreign| !foreign.is_view)
    });
    known.filter_map(foreign_key).collect()
}

fn foreign_key(relationship: &Relationship) -> Option<ForeignKeyResponse<'_>> {
    let (key, unique) = match &relationship.cardinality {
        Cardinality::ManyToOne(key) => (key, false),
        Cardinality::OneToOne(key) if key.is_own => (key, true),
        Cardinality::OneToOne(_)
        | Cardinality::OneToMany(_)
        | Cardinality::ManyToMany(_)
        | Cardinality::Computed(_) => return None,
    };
    let pairs = || key.columns.iter();
    Some(ForeignKeyResponse {
        constraint: &key.constraint,
        table: &relationship.table.name,
        columns: pairs().map(|pair| pair.own.as_str()).collect(),
        foreign_table: &relationship.foreign_table.name,
        foreign_columns: pairs().map(|pair| pair.foreign.as_str()).collect(),
        unique,
    })
}

fn function(routine: &Routine) -> serde_json::Value {
    let parameters = routine.parameters.iter();
    let parameters: Vec<_> = parameters
        .map(|parameter| {
            json!({ "name": parameter.name, "type": parameter.type_name.as_str(),
                    "required": parameter.required })
        })
        .collect();
    json!({
        "name": routine.name.name,
        "description": routine.description,
        "parameters": parameters,
        "returns": routine.returns.type_name.name,
        "returns_set": routine.returns.set,
    })
}
