//! The parameters that operations refer to.

use serde_json::{Map, Value, json};

use crate::schema_cache::table::Table;

const RETURN: [&str; 3] = [
    "return=representation",
    "return=minimal",
    "return=headers-only",
];
const RESOLUTION: [&str; 2] = [
    "resolution=ignore-duplicates",
    "resolution=merge-duplicates",
];
const COUNT: [&str; 3] = ["count=exact", "count=planned", "count=estimated"];

/// The parameters that every table has.
pub(super) fn common() -> Map<String, Value> {
    let plain = |name: &str, place: &str, description: &str| {
        json!({ "name": name, "description": description, "required": false,
                "in": place, "type": "string" })
    };
    let prefer = |values: &[&str]| {
        json!({ "name": "Prefer", "description": "Preference", "required": false,
                "in": "header", "type": "string", "enum": values })
    };
    let paging = "Limiting and Pagination";
    let mut unit = plain("Range-Unit", "header", paging);
    if let Some(fields) = unit.as_object_mut() {
        fields.insert("default".to_owned(), "items".into());
    }
    let posted = [&RETURN[..], &RESOLUTION[..]].concat();
    let parameters = [
        ("preferParams", plain("Prefer", "header", "Preference")),
        ("preferReturn", prefer(&RETURN)),
        ("preferCount", prefer(&COUNT)),
        ("preferPost", prefer(&posted)),
        ("select", plain("select", "query", "Filtering Columns")),
        ("on_conflict", plain("on_conflict", "query", "On Conflict")),
        ("order", plain("order", "query", "Ordering")),
        ("range", plain("Range", "header", paging)),
        ("rangeUnit", unit),
        ("offset", plain("offset", "query", paging)),
        ("limit", plain("limit", "query", paging)),
    ];
    let parameters = parameters.into_iter();
    parameters
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The body and the filters of a table.
pub(super) fn of_table(table: &Table) -> Map<String, Value> {
    let name = &table.name.name;
    let mut parameters = Map::new();
    let body = json!({
        "name": name, "description": name, "required": false, "in": "body",
        "schema": { "$ref": format!("#/definitions/{name}") },
    });
    parameters.insert(format!("body.{name}"), body);
    for column in &table.columns {
        let mut filter = json!({
            "name": column.name, "required": false, "in": "query", "type": "string",
        });
        if let (Some(fields), Some(description)) = (filter.as_object_mut(), &column.description) {
            fields.insert("description".to_owned(), description.as_str().into());
        }
        parameters.insert(format!("rowFilter.{name}.{}", column.name), filter);
    }
    parameters
}
