//! The exposed schemas as TypeScript: the type `Database` that `supabase-js` takes, in the shape
//! that the Supabase command line generates.

mod database;
mod described;
mod functions;
mod writer;

pub(crate) use described::Described;

use database::Keys;
use writer::Writer;

/// The types every file has, and those that pick from `Database`.
const JSON: &str = include_str!("typescript/json.ts");
const PICKERS: &str = include_str!("typescript/pickers.ts");

/// The whole file. `schemas` are in the order of the configuration; the first is the default where
/// none is called `public`.
pub(crate) fn document(described: &Described, keys: &Keys, schemas: &[String]) -> String {
    let mut writer = Writer::default();
    let mut sorted: Vec<&String> = schemas.iter().collect();
    sorted.sort();
    database::add_database(&mut writer, (described, keys), &sorted);
    let types = writer.finish();
    let mut writer = Writer::default();
    database::add_constants(&mut writer, described, &sorted);
    let constants = writer.finish();
    let has_public = schemas.iter().any(|schema| schema == "public");
    let default = match schemas.first() {
        Some(first) if !has_public => first.as_str(),
        Some(_) | None => "public",
    };
    let default = serde_json::Value::from(default).to_string();
    let pickers = PICKERS.replace("\"public\"", &default);
    format!("{JSON}\n{types}\n{pickers}\n{constants}")
}
