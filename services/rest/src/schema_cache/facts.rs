//! What the catalogue says, piece by piece: a relation can be read again by itself, and the cache is
//! put together anew from the pieces.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use super::foreign_key::{ForeignKey, Relationships, relate};
use super::media::{FoundAggregate, MediaHandlers};
use super::relationship::{Relationship, RowFunction};
use super::representation::{FoundDomains, Representations};
use super::routine::Routine;
use super::table::Table;
use super::views::{ViewColumn, primary_keys, with_views};
use super::{QualifiedName, RoleSettings, SchemaCache};

/// The number of an object of the catalogue.
pub(super) type Oid = u32;

/// Everything. Clones share the pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub relations: BTreeMap<Oid, Arc<Relation>>,
    pub functions: Arc<Functions>,
    pub settings: Arc<Settings>,
    /// The relations that signed-in users may read any of.
    pub granted: HashSet<Oid>,
}

/// What is known of a table or view.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Relation {
    /// `None` where it is not exposed.
    table: Option<Arc<Table>>,
    /// Its own foreign keys.
    keys: Vec<ForeignKey>,
    /// Of a view: where its columns come from.
    columns: Vec<ViewColumn>,
}

/// What functions are there for.
#[derive(Debug, Default)]
pub(super) struct Functions {
    computed: Vec<RowFunction>,
    routines: Arc<BTreeMap<QualifiedName, Vec<Routine>>>,
    handlers: Arc<MediaHandlers>,
    representations: Arc<Representations>,
}

/// What no schema holds.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub timezones: Arc<HashSet<String>>,
    pub roles: Arc<RoleSettings>,
}

/// Answers of the queries about relations, as JSON.
#[derive(Debug)]
pub(super) struct RelationTexts {
    pub tables: String,
    pub keys: String,
    /// `None` where there is no view among the relations.
    pub columns: Option<String>,
}

/// Answers of the queries about functions, as JSON.
#[derive(Debug)]
pub(super) struct FunctionTexts {
    pub computed: String,
    pub routines: String,
    pub handlers: String,
    pub domains: String,
}

/// A fact and the relation that it is one of.
type Of<T> = (Oid, T);

impl Facts {
    /// The relation that the cache knows by this name.
    pub(super) fn relation_named(&self, name: &QualifiedName) -> Option<Oid> {
        let named = |relation: &Relation| relation.table.as_ref().is_some_and(|t| t.name == *name);
        let mut relations = self.relations.iter();
        relations.find_map(|(oid, relation)| named(relation).then_some(*oid))
    }

    /// Takes what `texts` say in the place of what was known of `changed`; with `None` of all.
    pub(super) fn replace(
        &mut self,
        changed: Option<&[Oid]>,
        texts: &RelationTexts,
    ) -> Result<(), serde_json::Error> {
        match changed {
            Some(changed) => self.relations.retain(|oid, _| !changed.contains(oid)),
            None => self.relations.clear(),
        }
        let mut fresh: BTreeMap<Oid, Relation> = BTreeMap::new();
        for (oid, table) in serde_json::from_str::<Vec<Of<Table>>>(&texts.tables)? {
            fresh.entry(oid).or_default().table = Some(Arc::new(table));
        }
        for (oid, key) in serde_json::from_str::<Vec<Of<ForeignKey>>>(&texts.keys)? {
            fresh.entry(oid).or_default().keys.push(key);
        }
        if let Some(columns) = &texts.columns {
            for (oid, column) in serde_json::from_str::<Vec<Of<ViewColumn>>>(columns)? {
                fresh.entry(oid).or_default().columns.push(column);
            }
        }
        let fresh = fresh.into_iter();
        self.relations
            .extend(fresh.map(|(oid, relation)| (oid, Arc::new(relation))));
        Ok(())
    }

    /// The cache of these facts.
    pub(super) fn assemble(self) -> SchemaCache {
        let columns = || self.relations.values().flat_map(|known| &known.columns);
        let mut tables = BTreeMap::new();
        let mut granted = HashSet::new();
        for (oid, relation) in &self.relations {
            let Some(table) = &relation.table else {
                continue;
            };
            if self.granted.contains(oid) {
                granted.insert(table.name.clone());
            }
            tables.insert(table.name.clone(), Arc::clone(table));
        }
        for (view, key) in primary_keys(columns()) {
            if let Some(view) = tables.get_mut(view) {
                Arc::make_mut(view).primary_key = key;
            }
        }
        let mut keys: Vec<&ForeignKey> = self.relations.values().flat_map(|r| &r.keys).collect();
        keys.sort_by_key(|key| (&key.table, &key.constraint));
        // Views may show tables that are not exposed themselves.
        let mut keys = with_views(&keys, columns());
        keys.retain(|key| {
            tables.contains_key(&key.table) && tables.contains_key(&key.foreign_table)
        });
        let mut relationships = relate(&tables, &keys);
        for function in &self.functions.computed {
            let known = relationships.entry(function.table.clone()).or_default();
            known.retain(|relationship| !relationship.is_overridden_by(&function.function));
            known.push(function.clone().into());
        }
        SchemaCache {
            tables,
            relationships,
            granted,
            routines: Arc::clone(&self.functions.routines),
            handlers: Arc::clone(&self.functions.handlers),
            representations: Arc::clone(&self.functions.representations),
            timezones: Arc::clone(&self.settings.timezones),
            role_settings: Arc::clone(&self.settings.roles),
            facts: self,
        }
    }
}

impl FunctionTexts {
    pub(super) fn parse(&self) -> Result<Functions, serde_json::Error> {
        let mut routines: BTreeMap<_, Vec<Routine>> = BTreeMap::new();
        for routine in serde_json::from_str::<Vec<Routine>>(&self.routines)? {
            let overloads = routines.entry(routine.name.clone()).or_default();
            overloads.push(routine);
        }
        let handlers: Vec<FoundAggregate> = serde_json::from_str(&self.handlers)?;
        let domains: FoundDomains = serde_json::from_str(&self.domains)?;
        Ok(Functions {
            computed: serde_json::from_str(&self.computed)?,
            routines: Arc::new(routines),
            handlers: Arc::new(handlers.into_iter().collect()),
            representations: Arc::new(domains.into()),
        })
    }
}

impl Settings {
    /// Of `(role, name, value)` a later one takes the place of an earlier one.
    pub(super) fn new(
        timezones: Arc<HashSet<String>>,
        settings: Vec<(String, String, String)>,
    ) -> Self {
        let mut roles = RoleSettings::new();
        for (role, name, value) in settings {
            let known = roles.entry(role).or_default();
            known.retain(|(earlier, _)| *earlier != name);
            known.push((name, value));
        }
        Self {
            timezones,
            roles: Arc::new(roles),
        }
    }
}

/// By table or view, the relationships that are keys of its own, from what the queries of all keys
/// and of all columns of views answer.
pub(crate) fn own_keys(
    keys: &[u8],
    columns: &[u8],
) -> Result<HashMap<QualifiedName, Vec<Relationship>>, serde_json::Error> {
    let keys: Vec<Of<ForeignKey>> = serde_json::from_slice(keys)?;
    let columns: Vec<Of<ViewColumn>> = serde_json::from_slice(columns)?;
    let keys: Vec<&ForeignKey> = keys.iter().map(|(_, key)| key).collect();
    let mut known = Relationships::new();
    for key in with_views(&keys, columns.iter().map(|(_, column)| column)) {
        let own = known.entry(key.table.clone()).or_default();
        own.push(key.forwards());
    }
    Ok(known)
}

/// What depends on what was changed.
#[derive(Debug, Deserialize)]
pub(super) struct Affected {
    pub relations: Vec<Oid>,
    /// Whether a view is among the relations.
    pub views: bool,
    /// Whether a function, or a cast by one, depends on it.
    pub functions: bool,
}
