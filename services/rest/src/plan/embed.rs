//! Finds the relationship that an embedded resource means.

use crate::error::CacheError;
use crate::request::select::SelectRelation;
use crate::schema_cache::fuzzy;
use crate::schema_cache::relationship::{Cardinality, Key, Relationship};
use crate::schema_cache::{QualifiedName, SchemaCache};

/// The one relationship from `origin` that fits the name and the hint.
pub(crate) fn find<'c>(
    cache: &'c SchemaCache,
    origin: &QualifiedName,
    wanted: &SelectRelation,
) -> Result<&'c Relationship, CacheError> {
    let within = cache.relationships_of(origin).iter();
    let mut found = within
        .filter(|known| known.foreign_table.schema == origin.schema && fits(cache, known, wanted));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(missing(cache, origin, wanted)),
        (Some(first), Some(second)) => {
            let found = [first, second].into_iter().chain(found).cloned().collect();
            Err(CacheError::AmbiguousRelationship {
                origin: origin.name.clone(),
                target: wanted.name.clone(),
                found,
            })
        }
    }
}

fn fits(cache: &SchemaCache, known: &Relationship, wanted: &SelectRelation) -> bool {
    let target = wanted.name.as_str();
    if matches!(known.cardinality, Cardinality::Computed(_)) {
        return known.target() == target;
    }
    let is_target = known.foreign_table.name == target;
    let key = known.key();
    match (known.is_self(), wanted.hint.as_deref()) {
        // A key within one table is two relationships: the table's name means the many, the
        // column's name the one.
        (true, None) => {
            let to_many = matches!(known.cardinality, Cardinality::OneToMany(_));
            let to_one = matches!(known.cardinality, Cardinality::ManyToOne(_));
            (is_target && to_many) || (to_one && key.is_some_and(|key| key.is_own_column(target)))
        }
        (true, Some(hint)) => {
            let to_many = matches!(known.cardinality, Cardinality::OneToMany(_));
            let by_key =
                |key: &Key| to_many && (key.is_foreign_column(hint) || key.constraint == hint);
            is_target && (key.is_some_and(by_key) || is_junction(known, hint))
        }
        (false, None) => {
            // A key names its table, not the views of it.
            let is_view = || {
                let foreign = cache.table(&known.foreign_table);
                foreign.is_some_and(|table| table.is_view)
            };
            let names = |key: &Key| key.constraint == target || key.is_own_column(target);
            is_target || (key.is_some_and(names) && !is_view())
        }
        (false, Some(hint)) => {
            is_target
                && (key.is_some_and(|key| {
                    key.constraint == hint || key.is_own_column(hint) || key.is_foreign_column(hint)
                }) || is_junction(known, hint))
        }
    }
}

fn is_junction(known: &Relationship, hint: &str) -> bool {
    match &known.cardinality {
        Cardinality::ManyToMany(junction) => junction.table.name == hint,
        Cardinality::ManyToOne(_)
        | Cardinality::OneToMany(_)
        | Cardinality::OneToOne(_)
        | Cardinality::Computed(_) => false,
    }
}

fn missing(cache: &SchemaCache, origin: &QualifiedName, wanted: &SelectRelation) -> CacheError {
    let known = cache.relationships_of(origin);
    let suggestion = if known.is_empty() {
        let origins = cache.relationships.keys();
        let origins = origins.filter(|table| table.schema == origin.schema);
        let names = origins.map(|table| table.name.as_str());
        suggest(
            &origin.name,
            fuzzy::closest(&origin.name, names, fuzzy::LOOSE),
        )
    } else {
        let names = known.iter().map(Relationship::target);
        suggest(
            &wanted.name,
            fuzzy::closest(&wanted.name, names, fuzzy::LOOSE),
        )
    };
    CacheError::NoRelationship {
        origin: origin.name.clone(),
        target: wanted.name.clone(),
        hint: wanted.hint.clone(),
        schema: origin.schema.clone(),
        suggestion,
    }
}

/// Nothing where the name itself is right and only the hint is not.
fn suggest(name: &str, closest: Option<&str>) -> Option<String> {
    closest
        .filter(|closest| *closest != name)
        .map(|closest| format!("Perhaps you meant '{closest}' instead of '{name}'."))
}
