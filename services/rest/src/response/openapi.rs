//! The description of the API (OpenAPI 2.0, <https://swagger.io/specification/v2/>), from the
//! schema cache.

mod definitions;
mod parameters;
mod paths;

use std::collections::BTreeSet;

use http::Uri;
use serde_json::{Map, Value, json};

use crate::config::Security;
use crate::schema_cache::routine::Routine;
use crate::schema_cache::table::Table;
use crate::schema_cache::{QualifiedName, SchemaCache};

const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/vnd.pgrst.object+json",
    "text/csv",
];

/// A comment's first line, and what follows it.
fn summarized(comment: &str) -> (&str, Option<&str>) {
    let (summary, rest) = comment.split_once('\n').unwrap_or((comment, ""));
    let rest = rest.trim_start_matches('\n');
    (summary, (!rest.is_empty()).then_some(rest))
}

/// What is described: of a schema, what a role may use.
pub(crate) struct Shown<'a> {
    pub cache: &'a SchemaCache,
    pub schema: &'a str,
    /// The comment on the schema: a title in its first line, then a description.
    pub about: Option<&'a str>,
    pub tables: &'a BTreeSet<String>,
    pub functions: &'a BTreeSet<String>,
    /// Where clients reach this API.
    pub url: &'a Uri,
    pub security: Security,
}

impl Shown<'_> {
    /// The whole document.
    pub(crate) fn document(&self) -> Value {
        let about = self.about.map(summarized);
        let title = about.map(|(title, _)| title);
        // A comment of one line is both.
        let description = about.map(|(title, description)| description.unwrap_or(title));
        let described = || format!("Tables, views and functions of the schema {}", self.schema);
        let mut document = json!({
            "swagger": "2.0",
            "info": {
                "title": title.unwrap_or("SelfDB REST API"),
                "description": description.map_or_else(described, str::to_owned),
                "version": env!("CARGO_PKG_VERSION"),
            },
            "externalDocs": {
                "description": "PostgREST Documentation",
                "url": "https://docs.postgrest.org/en/stable/references/api.html",
            },
            "basePath": self.url.path(),
            "consumes": MEDIA_TYPES,
            "produces": MEDIA_TYPES,
            "paths": self.paths(),
            "definitions": self.definitions(),
            "parameters": self.parameters(),
        });
        if let (Some(fields), Security::Told) = (document.as_object_mut(), self.security) {
            let definition = json!({ "JWT": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "Add the token prepending \"Bearer \" (without quotes) to it",
            } });
            fields.insert("securityDefinitions".to_owned(), definition);
            fields.insert("security".to_owned(), json!([{ "JWT": [] }]));
        }
        if let (Some(fields), Some(host), Some(scheme)) =
            (document.as_object_mut(), self.host(), self.url.scheme_str())
        {
            fields.insert("host".to_owned(), host.into());
            fields.insert("schemes".to_owned(), json!([scheme]));
        }
        document
    }

    /// Host and port, also where the port is the scheme's own.
    fn host(&self) -> Option<String> {
        let port = self.url.port_u16().unwrap_or(match self.url.scheme_str() {
            Some("https") => 443,
            Some(_) | None => 80,
        });
        let host = self.url.host()?;
        Some(format!("{host}:{port}"))
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        let named = |name: &String| self.cache.table(&QualifiedName::new(self.schema, name));
        self.tables.iter().filter_map(named)
    }

    /// Of an overloaded function only the first is described: a path has one description.
    fn routines(&self) -> impl Iterator<Item = &Routine> {
        self.functions.iter().filter_map(|name| {
            let name = QualifiedName::new(self.schema, name);
            self.cache.routines_named(&name).first()
        })
    }

    fn definitions(&self) -> Map<String, Value> {
        self.tables()
            .map(|table| {
                let relationships = self.cache.relationships_of(&table.name);
                let definition = definitions::table(table, relationships);
                (table.name.name.clone(), definition)
            })
            .collect()
    }

    fn paths(&self) -> Map<String, Value> {
        let mut paths = Map::new();
        paths.insert("/".to_owned(), paths::root());
        for table in self.tables() {
            paths.insert(format!("/{}", table.name.name), paths::table(table));
        }
        for routine in self.routines() {
            let path = format!("/rpc/{}", routine.name.name);
            paths.insert(path, paths::routine(routine));
        }
        paths
    }

    fn parameters(&self) -> Map<String, Value> {
        let mut parameters = parameters::common();
        for table in self.tables() {
            parameters.extend(parameters::of_table(table));
        }
        parameters
    }
}
