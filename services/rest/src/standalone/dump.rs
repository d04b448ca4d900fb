//! The configuration and the schema cache as text.

use std::fmt::Write as _;

use common::Environment as _;
use jwt::postgrest::RolePath;
use serde_json::{Value, json};

use super::parameters::{Kind, PARAMETERS, Parameter};
use super::source::Values;
use crate::schema_cache::SchemaCache;

/// Who reads a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Whoever starts the server, and has the secrets anyway.
    Operator,
    /// Whoever reaches the administration's port.
    Network,
}

/// Every parameter as a file would set it.
pub(super) fn config(values: &Values, reader: Reader) -> String {
    let mut text = String::new();
    for parameter in &PARAMETERS {
        let _ = writeln!(
            text,
            "{} = {}",
            parameter.key,
            shown(parameter, values, reader)
        );
    }
    for (name, value) in &values.app_settings {
        let value = match reader {
            Reader::Operator => value,
            Reader::Network => "***",
        };
        let _ = writeln!(text, "{name} = {}", quoted(value));
    }
    text
}

fn shown(parameter: &Parameter, values: &Values, reader: Reader) -> String {
    let value = values.parameters.var(&parameter.variable());
    let value = value.filter(|value| !value.trim().is_empty());
    let value = match (value, parameter.key) {
        (None, "admin-server-host") => values.parameters.var("PGRST_SERVER_HOST"),
        (value, _) => value,
    };
    let value = value.unwrap_or_else(|| match parameter.key {
        "admin-server-host" => "!4".to_owned(),
        _ => parameter.default.to_owned(),
    });
    match parameter.kind {
        Kind::Flag => match value.as_str() {
            "1" | "on" | "yes" => "true".to_owned(),
            "0" | "off" | "no" => "false".to_owned(),
            _ => value.to_ascii_lowercase(),
        },
        Kind::Number if !value.is_empty() => value,
        Kind::Secret if reader == Reader::Network && !value.is_empty() => quoted("***"),
        Kind::Number | Kind::Text | Kind::Secret => quoted(&value),
        Kind::List => {
            let items: Vec<&str> = value.split(',').map(str::trim).collect();
            quoted(&items.join(","))
        }
        Kind::RolePath => {
            let path = value.parse::<RolePath>();
            quoted(&path.map(|path| path.to_string()).unwrap_or(value))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// What the service knows of the schema.
pub(super) fn schema(cache: &SchemaCache) -> Value {
    let tables: Vec<Value> = cache
        .tables
        .values()
        .map(|table| {
            let columns: Vec<Value> = table
                .columns
                .iter()
                .map(|column| {
                    json!({ "name": column.name, "type": column.type_name.as_str(),
                            "nullable": column.nullable, "description": column.description })
                })
                .collect();
            json!({ "schema": table.name.schema, "name": table.name.name,
                    "description": table.description, "isView": table.is_view,
                    "columns": columns, "primaryKey": table.primary_key })
        })
        .collect();
    let relationships: Vec<Value> = cache
        .relationships
        .iter()
        .flat_map(|(table, known)| known.iter().map(move |relationship| (table, relationship)))
        .map(|(table, relationship)| {
            json!({ "table": format!("{}.{}", table.schema, table.name),
                    "foreignTable": format!("{}.{}", relationship.foreign_table.schema,
                                            relationship.foreign_table.name) })
        })
        .collect();
    let routines: Vec<Value> = cache
        .routines
        .values()
        .flatten()
        .map(|routine| {
            json!({ "signature": routine.signature(),
                               "description": routine.description })
        })
        .collect();
    json!({ "dbTables": tables, "dbRelationships": relationships, "dbRoutines": routines,
            "dbTimezones": cache.timezones.len() })
}
