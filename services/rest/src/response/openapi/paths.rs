//! What can be done with each table and function.

use serde_json::{Map, Value, json};

use super::definitions::of_type;
use crate::schema_cache::routine::{Routine, Volatility};
use crate::schema_cache::table::Table;

const READ: [&str; 8] = [
    "select",
    "order",
    "range",
    "rangeUnit",
    "offset",
    "limit",
    "preferCount",
    "on_conflict",
];

/// The parameters that every table has.
pub(super) fn common_parameters() -> Map<String, Value> {
    let query = |name: &str, description: &str| {
        json!({ "name": name, "in": "query", "type": "string", "required": false,
                "description": description })
    };
    let header = |name: &str, description: &str| {
        json!({ "name": name, "in": "header", "type": "string", "required": false,
                "description": description })
    };
    let prefer = |values: &[&str]| {
        json!({ "name": "Prefer", "in": "header", "type": "string", "required": false,
                "description": "Preference", "enum": values })
    };
    let returns = [
        "return=representation",
        "return=minimal",
        "return=headers-only",
    ];
    let resolutions = [
        "resolution=merge-duplicates",
        "resolution=ignore-duplicates",
    ];
    let counts = ["count=exact", "count=planned", "count=estimated"];
    let parameters = [
        ("select", query("select", "Filtering Columns")),
        ("order", query("order", "Ordering")),
        ("offset", query("offset", "Limiting and Pagination")),
        ("limit", query("limit", "Limiting and Pagination")),
        ("on_conflict", query("on_conflict", "On Conflict")),
        ("range", header("Range", "Limiting and Pagination")),
        ("rangeUnit", header("Range-Unit", "Limiting and Pagination")),
        ("preferCount", prefer(&counts)),
        ("preferReturn", prefer(&returns)),
        (
            "preferPost",
            prefer(&[&returns[..], &resolutions[..]].concat()),
        ),
    ];
    let named = parameters.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The body and the filters of a table.
pub(super) fn table_parameters(table: &Table) -> Map<String, Value> {
    let name = &table.name.name;
    let mut parameters = Map::new();
    let body = json!({
        "name": name, "in": "body", "required": false, "description": name,
        "schema": { "$ref": format!("#/definitions/{name}") },
    });
    parameters.insert(format!("body.{name}"), body);
    for column in &table.columns {
        let filter = json!({
            "name": column.name, "in": "query", "type": "string", "required": false,
        });
        parameters.insert(format!("rowFilter.{name}.{}", column.name), filter);
    }
    parameters
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/parameters/{name}") })
}

/// The operations on a table.
pub(super) fn table(table: &Table) -> Value {
    let name = &table.name.name;
    let filters: Vec<Value> = table
        .columns
        .iter()
        .map(|column| reference(&format!("rowFilter.{name}.{}", column.name)))
        .collect();
    let with = |more: &[&str]| -> Vec<Value> {
        let more = more.iter().map(|parameter| reference(parameter));
        filters.iter().cloned().chain(more).collect()
    };
    let body = format!("body.{name}");
    let rows = json!({ "description": "OK", "schema": {
        "type": "array", "items": { "$ref": format!("#/definitions/{name}") } } });
    let mut operations = Map::new();
    let mut add = |may: bool, method: &str, parameters: Vec<Value>, responses: Value| {
        if may {
            let operation =
                json!({ "tags": [name], "parameters": parameters, "responses": responses });
            operations.insert(method.to_owned(), operation);
        }
    };
    let [read @ .., _] = READ;
    let found = json!({ "200": rows, "206": { "description": "Partial Content" } });
    let changed = json!({ "204": { "description": "No Content" } });
    add(true, "get", with(&read), found);
    let posted = [body.as_str(), "select", "on_conflict", "preferPost"];
    let posted = posted.map(reference).to_vec();
    let created = json!({ "201": { "description": "Created" } });
    add(table.writable.insert, "post", posted, created);
    add(
        table.writable.update,
        "patch",
        with(&[&body, "preferReturn"]),
        changed.clone(),
    );
    add(
        table.writable.delete,
        "delete",
        with(&["preferReturn"]),
        changed,
    );
    Value::Object(operations)
}

/// The operations on a function.
pub(super) fn routine(routine: &Routine) -> Value {
    let name = format!("(rpc) {}", routine.name.name);
    let description = routine.description.as_deref().unwrap_or_default();
    let required = routine
        .parameters
        .iter()
        .filter(|parameter| parameter.required);
    let required: Vec<&str> = required.map(|parameter| parameter.name.as_str()).collect();
    let properties: Map<String, Value> = routine
        .parameters
        .iter()
        .map(|parameter| {
            let schema = Value::Object(of_type(parameter.type_name.as_str()));
            (parameter.name.clone(), schema)
        })
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if let (Some(fields), false) = (schema.as_object_mut(), required.is_empty()) {
        fields.insert("required".to_owned(), json!(required));
    }
    let operation = |parameters: Value| {
        json!({ "tags": [name], "description": description, "parameters": parameters,
                "responses": { "200": { "description": "OK" } } })
    };
    let body = json!([{ "name": "args", "in": "body", "required": true, "schema": schema }]);
    let mut operations = Map::new();
    operations.insert("post".to_owned(), operation(body));
    if routine.volatility != Volatility::Volatile {
        let arguments: Vec<Value> = routine
            .parameters
            .iter()
            .map(|parameter| {
                json!({ "name": parameter.name, "in": "query", "type": "string",
                        "required": parameter.required, "format": parameter.type_name.as_str() })
            })
            .collect();
        operations.insert("get".to_owned(), operation(arguments.into()));
    }
    Value::Object(operations)
}
