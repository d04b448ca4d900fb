//! What the catalogue says of types that are not built in: the stream only names them. Read when a
//! table that uses them is described, so that their values are told as typed JSON.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pg::sqlx::PgPool;

use super::pgoutput::{self, Message};
use super::relations::KnownTables;
use super::types::{self, Field, Kind, Scalar};
use crate::store::types::{self as store, TypeRow};

/// The stream waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// How deep types may hold each other.
const MAX_DEPTH: usize = 8;

/// Reads the catalogue into what is known.
pub struct Catalogue {
    pool: PgPool,
    known: Arc<KnownTables>,
}

impl Catalogue {
    /// Asks through `pool` and keeps the answers in `known`.
    pub fn new(pool: PgPool, known: Arc<KnownTables>) -> Self {
        Self { pool, known }
    }

    /// Reads the types of the table that `message` describes, if it describes one: they may have
    /// changed since.
    pub async fn learn(&self, message: &Bytes) {
        self.read(own_types(message)).await;
    }

    /// The same for a message of the journal, of which only what is not known yet is read.
    pub async fn learn_again(&self, message: &Bytes) {
        let mut oids = own_types(message);
        oids.retain(|oid| self.known.kind(*oid).is_none());
        self.read(oids).await;
    }

    async fn read(&self, oids: Vec<u32>) {
        if oids.is_empty() {
            return;
        }
        let rows = tokio::time::timeout(PATIENCE, store::describe(&self.pool, &oids, MAX_DEPTH));
        match rows.await {
            Ok(Ok(rows)) => self.known.set_kinds(
                oids.iter()
                    .filter_map(|oid| Some((*oid, kind(&rows, *oid, MAX_DEPTH)?))),
            ),
            // Their values are told as text.
            Ok(Err(error)) => tracing::warn!(%error, "the types of a table could not be read"),
            Err(_) => tracing::warn!("the types of a table could not be read in time"),
        }
    }
}

/// The types of a described table that are not built in.
fn own_types(message: &Bytes) -> Vec<u32> {
    if message.first() != Some(&b'R') {
        return Vec::new();
    }
    let Ok(Message::Relation(relation)) = pgoutput::decode(message.clone()) else {
        return Vec::new();
    };
    let oids = relation.columns.iter().map(|column| column.type_oid);
    let mut oids: Vec<u32> = oids.filter(|oid| types::built_in(*oid).is_none()).collect();
    oids.sort_unstable();
    oids.dedup();
    oids
}

/// `None` for a type that the catalogue does not have.
fn kind(rows: &HashMap<u32, TypeRow>, oid: u32, depth: usize) -> Option<Kind> {
    if let Some((_, kind)) = types::built_in(oid) {
        return Some(kind);
    }
    let text = Kind::Scalar(Scalar::Text);
    let Some(depth) = depth.checked_sub(1) else {
        return Some(text);
    };
    let below = |oid| kind(rows, oid, depth).unwrap_or_else(|| text.clone());
    Some(match rows.get(&oid)? {
        TypeRow::Other => text.clone(),
        TypeRow::Domain(base) => below(*base),
        TypeRow::Array(element) => Kind::Array(Arc::new(below(*element))),
        TypeRow::Composite(attributes) => {
            let fields = attributes.iter().map(|(name, oid)| Field {
                name: name.clone(),
                kind: below(*oid),
            });
            Kind::Composite(fields.collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_followed_to_the_built_in_ones_and_not_for_ever() {
        let rows = HashMap::from([
            (100_001, TypeRow::Array(100_002)),
            (
                100_002,
                TypeRow::Composite(vec![("n".to_owned(), 23), ("d".to_owned(), 100_003)]),
            ),
            (100_003, TypeRow::Domain(16)),
            (100_004, TypeRow::Domain(100_004)),
            (100_005, TypeRow::Other),
        ]);
        let field = |name: &str, scalar| Field {
            name: name.to_owned(),
            kind: Kind::Scalar(scalar),
        };
        let row = [field("n", Scalar::Number), field("d", Scalar::Bool)];
        let row = Kind::Composite(Arc::new(row));
        let found = |oid| kind(&rows, oid, MAX_DEPTH);
        assert_eq!(found(100_001), Some(Kind::Array(Arc::new(row))));
        assert_eq!(found(100_004), Some(Kind::Scalar(Scalar::Text)));
        assert_eq!(found(100_005), Some(Kind::Scalar(Scalar::Text)));
        assert_eq!(found(100_009), None);
    }
}
