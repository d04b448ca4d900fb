//! Foreign keys, and the relationships that they are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::QualifiedName;
use super::relationship::{Cardinality, ColumnPair, Junction, Key, Relationship};
use super::table::Table;

/// A foreign key as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ForeignKey {
    pub constraint: String,
    pub table: QualifiedName,
    pub foreign_table: QualifiedName,
    pub columns: Vec<ColumnPair>,
    /// Whether the columns are also unique in their own table.
    pub unique: bool,
}

impl ForeignKey {
    /// The relationship as the table that has the key sees it.
    pub(crate) fn forwards(&self) -> Relationship {
        let key = Key {
            constraint: self.constraint.clone(),
            columns: self.columns.clone(),
            is_own: true,
        };
        Relationship {
            table: self.table.clone(),
            foreign_table: self.foreign_table.clone(),
            cardinality: if self.unique {
                Cardinality::OneToOne(key)
            } else {
                Cardinality::ManyToOne(key)
            },
        }
    }

    /// The relationship as the referenced table sees it.
    pub(crate) fn backwards(&self) -> Relationship {
        let key = Key {
            constraint: self.constraint.clone(),
            columns: reversed(&self.columns),
            is_own: false,
        };
        Relationship {
            table: self.foreign_table.clone(),
            foreign_table: self.table.clone(),
            cardinality: if self.unique {
                Cardinality::OneToOne(key)
            } else {
                Cardinality::OneToMany(key)
            },
        }
    }

    /// The way over this key's table, from what it references to what `other` references; where
    /// both keys lie within the primary key of the table.
    pub(crate) fn across(&self, other: &Self, primary_key: &[String]) -> Option<Relationship> {
        let mut columns = self.columns.iter().chain(&other.columns);
        if self.constraint == other.constraint
            || !columns.all(|pair| primary_key.contains(&pair.own))
        {
            return None;
        }
        let junction = Junction {
            table: self.table.clone(),
            constraint: self.constraint.clone(),
            foreign_constraint: other.constraint.clone(),
            source: reversed(&self.columns),
            target: reversed(&other.columns),
        };
        Some(Relationship {
            table: self.foreign_table.clone(),
            foreign_table: other.foreign_table.clone(),
            cardinality: Cardinality::ManyToMany(Box::new(junction)),
        })
    }
}

fn reversed(columns: &[ColumnPair]) -> Vec<ColumnPair> {
    let reverse = |pair: &ColumnPair| ColumnPair {
        own: pair.foreign.clone(),
        foreign: pair.own.clone(),
    };
    columns.iter().map(reverse).collect()
}

/// By the table they start from.
pub(super) type Relationships = HashMap<QualifiedName, Vec<Relationship>>;

/// The relationships that `keys` are, between `tables`.
pub(super) fn relate(
    tables: &BTreeMap<QualifiedName, Arc<Table>>,
    keys: &[ForeignKey],
) -> Relationships {
    let mut relationships = Relationships::new();
    let mut add = |relationship: Relationship| {
        let known = relationships.entry(relationship.table.clone()).or_default();
        known.push(relationship);
    };
    let mut by_table: BTreeMap<_, Vec<&ForeignKey>> = BTreeMap::new();
    for key in keys {
        add(key.forwards());
        add(key.backwards());
        by_table.entry(&key.table).or_default().push(key);
    }
    for (table, keys) in by_table {
        let Some(primary_key) = tables.get(table).map(|table| &table.primary_key) else {
            continue;
        };
        for key in &keys {
            for other in &keys {
                key.across(other, primary_key)
                    .into_iter()
                    .for_each(&mut add);
            }
        }
    }
    relationships
}
