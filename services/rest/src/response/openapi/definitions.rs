//! Tables and types as JSON Schema.

use serde_json::{Map, Value, json};

use crate::schema_cache::table::{Column, Table};

/// A table's rows.
pub(super) fn table(table: &Table) -> Value {
    let properties: Map<String, Value> = table
        .columns
        .iter()
        .map(|column| (column.name.clone(), property(column, table)))
        .collect();
    let required = table
        .columns
        .iter()
        .filter(|column| !column.nullable && column.default.is_none() && !column.generated);
    let required: Vec<&str> = required.map(|column| column.name.as_str()).collect();
    let mut definition = json!({ "type": "object", "properties": properties });
    if let Some(fields) = definition.as_object_mut() {
        if !required.is_empty() {
            fields.insert("required".to_owned(), json!(required));
        }
        if let Some(description) = &table.description {
            fields.insert("description".to_owned(), description.as_str().into());
        }
    }
    definition
}

fn property(column: &Column, table: &Table) -> Value {
    let mut property = of_type(column.type_name.as_str());
    let mut description = column.description.clone().unwrap_or_default();
    if table.primary_key.contains(&column.name) {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str("Note:\nThis is a Primary Key.<pk/>");
    }
    if !description.is_empty() {
        property.insert("description".to_owned(), description.into());
    }
    if let Some(default) = &column.default {
        property.insert("default".to_owned(), default.as_str().into());
    }
    if let Some(length) = column.max_length {
        property.insert("maxLength".to_owned(), length.into());
    }
    if !column.labels.is_empty() {
        property.insert("enum".to_owned(), json!(column.labels));
    }
    Value::Object(property)
}

/// A type of Postgres.
pub(super) fn of_type(name: &str) -> Map<String, Value> {
    let mut schema = Map::new();
    if let Some(element) = name.strip_suffix("[]") {
        schema.insert("type".to_owned(), "array".into());
        schema.insert("items".to_owned(), Value::Object(of_type(element)));
        return schema;
    }
    let essence = name.split('(').next().unwrap_or(name);
    let kind = match essence {
        "smallint" | "integer" | "bigint" => Some("integer"),
        "real" | "double precision" | "numeric" => Some("number"),
        "boolean" => Some("boolean"),
        // Any JSON.
        "json" | "jsonb" => None,
        _ => Some("string"),
    };
    if let Some(kind) = kind {
        schema.insert("type".to_owned(), kind.into());
    }
    schema.insert("format".to_owned(), name.into());
    schema
}
