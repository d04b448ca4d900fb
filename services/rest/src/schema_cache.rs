//! What is exposed: tables and views with their columns and keys, the relationships between them,
//! and functions. Built as one value from the catalogue, and replaced as one value.

mod changes;
mod facts;
mod foreign_key;
pub(crate) mod fuzzy;
pub(crate) mod handle;
mod load;
pub(crate) mod media;
mod refresh;
#[cfg(test)]
mod refresh_tests;
pub(crate) mod relationship;
pub(crate) mod representation;
pub(crate) mod routine;
pub(crate) mod table;
mod views;

pub(crate) use facts::own_keys;
pub(crate) use handle::CacheHandle;
pub(crate) use refresh::keep_fresh;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use facts::Facts;
use media::MediaHandlers;
use relationship::Relationship;
use representation::Representations;
use routine::Routine;
use table::Table;

/// A name in a schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub(crate) struct QualifiedName {
    pub schema: String,
    pub name: String,
}

impl QualifiedName {
    pub(crate) fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

/// Names and values by role.
type RoleSettings = HashMap<String, Vec<(String, String)>>;

/// The whole catalogue as this service knows it.
#[derive(Debug, Default)]
pub(crate) struct SchemaCache {
    pub tables: BTreeMap<QualifiedName, Arc<Table>>,
    /// Relationships by the table they start from.
    pub relationships: HashMap<QualifiedName, Vec<Relationship>>,
    /// Functions by name; more than one where it is overloaded.
    pub routines: Arc<BTreeMap<QualifiedName, Vec<Routine>>>,
    pub handlers: Arc<MediaHandlers>,
    pub representations: Arc<Representations>,
    pub timezones: Arc<HashSet<String>>,
    /// What `alter role … set` says, which `set role` does not apply by itself.
    pub role_settings: Arc<RoleSettings>,
    /// The tables that signed-in users may read any of.
    granted: HashSet<QualifiedName>,
    /// What all of it was made of.
    facts: Facts,
}

impl SchemaCache {
    pub(crate) fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(name).map(Arc::as_ref)
    }

    /// Whether signed-in users may read any of `table`.
    pub(crate) fn is_granted_to_users(&self, table: &Table) -> bool {
        self.granted.contains(&table.name)
    }

    pub(crate) fn relationships_of(&self, table: &QualifiedName) -> &[Relationship] {
        self.relationships.get(table).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn routines_named(&self, name: &QualifiedName) -> &[Routine] {
        self.routines.get(name).map_or(&[], Vec::as_slice)
    }

    /// What a mistyped table of `schema` was perhaps meant to be.
    pub(crate) fn similar_table(&self, schema: &str, name: &str) -> Option<&str> {
        let names = self.tables.keys().filter(|table| table.schema == schema);
        fuzzy::closest(name, names.map(|table| table.name.as_str()), fuzzy::CLOSE)
    }

    /// What a mistyped function of `schema` was perhaps meant to be.
    pub(crate) fn similar_routine(&self, schema: &str, name: &str) -> Option<&str> {
        let names = self.routines.keys().filter(|known| known.schema == schema);
        fuzzy::closest(name, names.map(|known| known.name.as_str()), fuzzy::CLOSE)
    }
}
