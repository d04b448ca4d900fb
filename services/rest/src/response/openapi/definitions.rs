//! Tables and types as JSON Schema.

use serde_json::{Map, Value, json};

use crate::schema_cache::relationship::{Cardinality, Relationship};
use crate::schema_cache::table::{Column, Table};

/// A table's rows.
pub(super) fn table(table: &Table, relationships: &[Relationship]) -> Value {
    let properties: Map<String, Value> = table
        .columns
        .iter()
        .map(|column| {
            let property = property(column, table, relationships);
            (column.name.clone(), property)
        })
        .collect();
    let columns = table.columns.iter();
    let required = columns.filter(|column| !column.nullable && !column.generated);
    let required: Vec<&str> = required.map(|column| column.name.as_str()).collect();
    let mut definition = Map::new();
    if let Some(description) = &table.description {
        definition.insert("description".to_owned(), description.as_str().into());
    }
    if !required.is_empty() {
        definition.insert("required".to_owned(), json!(required));
    }
    definition.insert("properties".to_owned(), properties.into());
    definition.insert("type".to_owned(), "object".into());
    definition.into()
}

fn property(column: &Column, table: &Table, relationships: &[Relationship]) -> Value {
    let kind = plain(column.type_name.as_str());
    let mut property = of_type(&kind);
    if let Some(description) = description(column, table, relationships) {
        property.insert("description".to_owned(), description.into());
    }
    if let Some(default) = &column.default
        && let Some(default) = default_value(&kind, default.as_str())
    {
        property.insert("default".to_owned(), default);
    }
    if let Some(length) = column.max_length {
        property.insert("maxLength".to_owned(), length.into());
    }
    if column.generated {
        property.insert("readOnly".to_owned(), true.into());
    }
    if !column.labels.is_empty() {
        property.insert("enum".to_owned(), json!(column.labels));
    }
    property.into()
}

/// The comment, and what keys the column is part of.
fn description(column: &Column, table: &Table, relationships: &[Relationship]) -> Option<String> {
    let mut notes = Vec::new();
    if table.primary_key.contains(&column.name) {
        notes.push("This is a Primary Key.<pk/>".to_owned());
    }
    if let Some((table, column)) = foreign(column, relationships) {
        notes.push(format!(
            "This is a Foreign Key to `{table}.{column}`.<fk table='{table}' column='{column}'/>"
        ));
    }
    let comment = column.description.as_deref();
    if notes.is_empty() {
        return comment.map(str::to_owned);
    }
    let comment = comment.map(|comment| format!("{comment}\n\n"));
    let comment = comment.unwrap_or_default();
    Some(format!("{comment}Note:\n{}", notes.join("\n")))
}

/// The table and the column that a foreign key of this column alone leads to.
fn foreign<'r>(column: &Column, relationships: &'r [Relationship]) -> Option<(&'r str, &'r str)> {
    relationships.iter().find_map(|relationship| {
        let Cardinality::ManyToOne(key) = &relationship.cardinality else {
            return None;
        };
        let [pair] = key.columns.as_slice() else {
            return None;
        };
        let is_it = pair.own == column.name;
        is_it.then_some((
            relationship.foreign_table.name.as_str(),
            pair.foreign.as_str(),
        ))
    })
}

/// A default that is a plain value; what SQL has to compute is a text of its own where the column
/// is written as one.
fn default_value(kind: &str, default: &str) -> Option<Value> {
    if swagger_type(kind) != Some("string") {
        return serde_json::from_str(default).ok();
    }
    let literal = default
        .strip_suffix(kind)
        .and_then(|literal| literal.strip_suffix("::"));
    let text = literal.map_or(default, |literal| literal.trim_matches('\''));
    Some(text.into())
}

/// The type without its length and precision: `numeric` of `numeric(3,1)`.
fn plain(name: &str) -> String {
    let Some((before, after)) = name.split_once('(') else {
        return name.to_owned();
    };
    let after = after.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// What JSON writes a type of Postgres as; `None` where that is anything.
pub(super) fn swagger_type(name: &str) -> Option<&'static str> {
    match name {
        "smallint" | "integer" | "bigint" => Some("integer"),
        "real" | "double precision" | "numeric" => Some("number"),
        "boolean" => Some("boolean"),
        "json" | "jsonb" => None,
        name if name.ends_with("[]") => Some("array"),
        _ => Some("string"),
    }
}

/// A type of Postgres.
pub(super) fn of_type(name: &str) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("format".to_owned(), name.into());
    if let Some(kind) = swagger_type(name) {
        schema.insert("type".to_owned(), kind.into());
    }
    if let Some(element) = name.strip_suffix("[]") {
        let kind = swagger_type(element);
        let items = kind.map_or_else(|| json!({}), |kind| json!({ "type": kind }));
        schema.insert("items".to_owned(), items);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_told_where_it_is_a_value() {
        for (kind, default, told) in [
            ("text", "'untitled'::text", Some(json!("untitled"))),
            ("integer", "5", Some(json!(5))),
            ("integer", "nextval('t_id_seq'::regclass)", None),
            ("boolean", "false", Some(json!(false))),
            ("timestamp with time zone", "now()", Some(json!("now()"))),
            ("text[]", "'{}'::text[]", None),
        ] {
            assert_eq!(default_value(kind, default), told, "{default}");
        }
    }

    #[test]
    fn types_are_told_without_their_length() {
        assert_eq!(plain("numeric(3,1)"), "numeric");
        assert_eq!(plain("character varying(20)"), "character varying");
        assert_eq!(
            plain("timestamp(3) with time zone"),
            "timestamp with time zone"
        );
        assert_eq!(plain("character varying(20)[]"), "character varying[]");
    }
}
