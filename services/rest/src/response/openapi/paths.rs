//! What can be done with each table and function.

use serde_json::{Map, Value, json};

use super::definitions::{of_type, swagger_type};
use super::summarized;
use crate::schema_cache::routine::{Parameter, Routine, Volatility};
use crate::schema_cache::table::Table;

const READ: [&str; 7] = [
    "select",
    "order",
    "range",
    "rangeUnit",
    "offset",
    "limit",
    "preferCount",
];
const ROWS: [&str; 3] = [
    "application/json",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/vnd.pgrst.object+json",
];

/// The description of itself.
pub(super) fn root() -> Value {
    json!({ "get": {
        "tags": ["Introspection"],
        "summary": "OpenAPI description (this document)",
        "produces": ["application/openapi+json", "application/json"],
        "responses": { "200": { "description": "OK" } },
    } })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/parameters/{name}") })
}

/// Tags, and the comment as a summary and a description.
fn operation(tag: &str, comment: Option<&str>) -> Map<String, Value> {
    let mut operation = Map::new();
    operation.insert("tags".to_owned(), json!([tag]));
    if let Some(comment) = comment {
        let (summary, description) = summarized(comment);
        operation.insert("summary".to_owned(), summary.into());
        if let Some(description) = description {
            operation.insert("description".to_owned(), description.into());
        }
    }
    operation
}

/// The operations on a table.
pub(super) fn table(table: &Table) -> Value {
    let name = &table.name.name;
    let columns = table.columns.iter();
    let filters: Vec<String> = columns
        .map(|column| format!("rowFilter.{name}.{}", column.name))
        .collect();
    let filtered = |more: &[&str]| -> Vec<Value> {
        let filters = filters.iter().map(String::as_str);
        filters.chain(more.iter().copied()).map(reference).collect()
    };
    let described = |parameters: Vec<Value>, responses: Value| -> Value {
        let mut operation = operation(name, table.description.as_deref());
        operation.insert("parameters".to_owned(), parameters.into());
        operation.insert("responses".to_owned(), responses);
        operation.into()
    };
    let rows = json!({ "description": "OK", "schema": {
        "type": "array", "items": { "$ref": format!("#/definitions/{name}") } } });
    let found = json!({ "200": rows, "206": { "description": "Partial Content" } });
    let mut operations = Map::new();
    operations.insert("get".to_owned(), described(filtered(&READ), found));
    let writable = table.writable;
    if !(writable.insert || writable.update || writable.delete) {
        return operations.into();
    }
    let body = format!("body.{name}");
    let changed = json!({ "204": { "description": "No Content" } });
    let created = json!({ "201": { "description": "Created" } });
    let posted = [body.as_str(), "select", "preferPost"];
    let posted = posted.map(reference).to_vec();
    operations.insert("post".to_owned(), described(posted, created));
    let gone = described(filtered(&["preferReturn"]), changed.clone());
    operations.insert("delete".to_owned(), gone);
    let patched = filtered(&[&body, "preferReturn"]);
    operations.insert("patch".to_owned(), described(patched, changed));
    operations.into()
}

/// The operations on a function.
pub(super) fn routine(routine: &Routine) -> Value {
    let tag = format!("(rpc) {}", routine.name.name);
    let described = |parameters: Vec<Value>| -> Value {
        let mut operation = operation(&tag, routine.description.as_deref());
        operation.insert("produces".to_owned(), json!(ROWS));
        operation.insert("parameters".to_owned(), parameters.into());
        let responses = json!({ "200": { "description": "OK" } });
        operation.insert("responses".to_owned(), responses);
        operation.into()
    };
    let mut operations = Map::new();
    if routine.volatility != Volatility::Volatile {
        let arguments = routine.parameters.iter().map(argument).collect();
        operations.insert("get".to_owned(), described(arguments));
    }
    let body = json!({ "name": "args", "in": "body", "required": true,
                       "schema": arguments(routine) });
    let posted = described(vec![body, reference("preferParams")]);
    operations.insert("post".to_owned(), posted);
    operations.into()
}

/// An argument in the query. Arrays are written in braces, so they are texts there.
fn argument(parameter: &Parameter) -> Value {
    let format = parameter.type_name.as_str();
    let mut argument = Map::new();
    argument.insert("name".to_owned(), parameter.name.as_str().into());
    argument.insert("in".to_owned(), "query".into());
    argument.insert("required".to_owned(), parameter.required.into());
    if parameter.variadic {
        let element = format.strip_suffix("[]").unwrap_or(format);
        let kind = swagger_type(element).unwrap_or("string");
        let items = json!({ "type": kind, "format": element });
        argument.insert("type".to_owned(), "array".into());
        argument.insert("items".to_owned(), items);
        argument.insert("collectionFormat".to_owned(), "multi".into());
    } else {
        let kind = swagger_type(format).filter(|kind| *kind != "array");
        argument.insert("type".to_owned(), kind.unwrap_or("string").into());
        argument.insert("format".to_owned(), format.into());
    }
    argument.into()
}

/// All arguments, as the body.
fn arguments(routine: &Routine) -> Value {
    let parameters = routine.parameters.iter();
    let properties: Map<String, Value> = parameters
        .clone()
        .map(|parameter| {
            let schema = of_type(parameter.type_name.as_str());
            (parameter.name.clone(), schema.into())
        })
        .collect();
    let required = parameters.filter(|parameter| parameter.required);
    let required: Vec<&str> = required.map(|parameter| parameter.name.as_str()).collect();
    let mut schema = Map::new();
    if let Some(description) = &routine.description {
        schema.insert("description".to_owned(), description.as_str().into());
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("type".to_owned(), "object".into());
    schema.into()
}
