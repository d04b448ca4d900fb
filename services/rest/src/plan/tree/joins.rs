//! What ties an embedded relation to its parent.

use crate::plan::read::{JoinCondition, Source, TableRef};
use crate::schema_cache::relationship::{Cardinality, ColumnPair, Relationship};

/// The longest alias Postgres keeps.
const MAX_ALIAS_BYTES: usize = 63;

/// Where the rows of `relationship` come from at this depth, and which of them are the parent's.
pub(super) fn joined(
    relationship: &Relationship,
    parent: &TableRef,
    depth: usize,
) -> (Source, Vec<JoinCondition>) {
    let alias = numbered(relationship.target(), depth);
    let own = TableRef::Alias(alias.clone());
    let mut source = Source::Aliased {
        relation: relationship.foreign_table.clone(),
        alias,
        junction: None,
    };
    let joins = match &relationship.cardinality {
        Cardinality::Computed(computed) => {
            source = Source::Computed {
                function: computed.function.clone(),
                row: parent.clone(),
                row_type: relationship.table.clone(),
                alias: numbered(relationship.target(), depth),
            };
            Vec::new()
        }
        Cardinality::ManyToOne(key) | Cardinality::OneToMany(key) | Cardinality::OneToOne(key) => {
            equalities(parent, &own, &key.columns)
        }
        Cardinality::ManyToMany(junction) => {
            let between = numbered(&junction.table.name, depth);
            // A table that is its own junction would have one alias twice.
            let between = if own == TableRef::Alias(between.clone()) {
                format!("pgrst_junction_{depth}")
            } else {
                between
            };
            let reference = TableRef::Alias(between.clone());
            if let Source::Aliased { junction: slot, .. } = &mut source {
                *slot = Some((junction.table.clone(), between));
            }
            let mut joins = equalities(parent, &reference, &junction.source);
            joins.extend(equalities(&own, &reference, &junction.target));
            joins
        }
    };
    (source, joins)
}

fn equalities(own: &TableRef, foreign: &TableRef, columns: &[ColumnPair]) -> Vec<JoinCondition> {
    let pairs = columns.iter();
    pairs
        .map(|pair| JoinCondition {
            left: (own.clone(), pair.own.clone()),
            right: (foreign.clone(), pair.foreign.clone()),
        })
        .collect()
}

/// `name_depth`, which Postgres' own messages then show.
fn numbered(name: &str, depth: usize) -> String {
    let alias = format!("{name}_{depth}");
    if alias.len() > MAX_ALIAS_BYTES {
        format!("pgrst_{depth}")
    } else {
        alias
    }
}
