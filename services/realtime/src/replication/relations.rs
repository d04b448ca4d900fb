//! The tables and types the server has described on this connection, and changes told in their
//! terms.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::change::{Change, Operation, Position, Row};
use super::pgoutput::{ColumnMessage, Message, RelationMessage, TypeMessage};
use super::types::{self, Kind, Scalar};

/// A table as it was defined at a point of the stream. A new one is made each time the server
/// describes it anew, which it does after any change of its definition, policies or grants: what
/// was derived from the old one is known by that to be out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The table's oid.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Its published columns, in order.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The name of its type, as clients know it: `int4`, `_text`.
    pub type_name: String,
    /// How its values are written.
    pub kind: Kind,
    /// Whether it is part of the replica identity.
    pub key: bool,
}

impl Relation {
    /// The index of the column named `name`.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A change of a table the server has not described: the stream cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a change of table {0} came before its description")]
pub struct UnknownRelation(pub u32);

/// The newest definition of every table and type, so that whoever reads the journal shares what is derived
/// from it with the live stream.
#[derive(Debug, Default)]
pub struct KnownTables {
    tables: Mutex<HashMap<u32, Arc<Relation>>>,
    /// What the catalogue says of types that are not built in.
    kinds: Mutex<HashMap<u32, Kind>>,
}

impl KnownTables {
    /// A table was described by the server: whatever was known of it is out of date.
    fn newest(&self, relation: Relation) -> Arc<Relation> {
        let relation = Arc::new(relation);
        let mut known = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(relation.oid, Arc::clone(&relation));
        relation
    }

    /// What the catalogue says of types.
    pub fn set_kinds(&self, kinds: impl IntoIterator<Item = (u32, Kind)>) {
        let mut known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(kinds);
    }

    /// How values of a type are written, where the catalogue was asked.
    pub fn kind(&self, type_oid: u32) -> Option<Kind> {
        let known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&type_oid).cloned()
    }

    /// A table as the journal describes it.
    fn earlier(&self, relation: Relation) -> Arc<Relation> {
        let mut known = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&relation.oid) {
            Some(same) if **same == relation => Arc::clone(same),
            Some(_) => Arc::new(relation),
            None => {
                let relation = Arc::new(relation);
                known.insert(relation.oid, Arc::clone(&relation));
                relation
            }
        }
    }
}

/// The tables and types described on one connection, or in one stretch of the journal.
#[derive(Debug)]
pub struct Relations {
    tables: HashMap<u32, Arc<Relation>>,
    types: HashMap<u32, (String, Kind)>,
    known: Arc<KnownTables>,
    live: bool,
}

impl Relations {
    /// Nothing is described yet on a connection to the server.
    pub fn of_connection(known: Arc<KnownTables>) -> Self {
        Self {
            tables: HashMap::new(),
            types: HashMap::new(),
            known,
            live: true,
        }
    }

    /// Nothing is read yet of the journal.
    pub fn of_journal(known: Arc<KnownTables>) -> Self {
        Self {
            live: false,
            ..Self::of_connection(known)
        }
    }

    /// Takes the description of a table or type; other messages say nothing here.
    pub fn describe(&mut self, message: Message) {
        match message {
            Message::Relation(relation) => self.define(relation),
            Message::Type(name) => self.name_type(name),
            Message::Insert { .. }
            | Message::Update { .. }
            | Message::Delete { .. }
            | Message::Other(_) => {}
        }
    }

    /// A change in the terms of its table.
    pub fn change(
        &self,
        message: Message,
        committed_at: &Arc<str>,
        position: Position,
    ) -> Result<Change, UnknownRelation> {
        let (oid, operation, new, old) = match message {
            Message::Insert { relation, new } => (relation, Operation::Insert, Some(new), None),
            Message::Update { relation, old, new } => (relation, Operation::Update, Some(new), old),
            Message::Delete { relation, old } => (relation, Operation::Delete, None, Some(old)),
            Message::Relation(_) | Message::Type(_) | Message::Other(_) => {
                return Err(UnknownRelation(0));
            }
        };
        let relation = self.tables.get(&oid).ok_or(UnknownRelation(oid))?;
        let new = new.map(|tuple| Row::new(tuple, old.as_ref()));
        let old = match (operation, old) {
            (_, Some(tuple)) => Some(Row::old(relation, tuple)),
            // The log repeats the key only where it changed; elsewhere the new row has it.
            (Operation::Update, None) => new.clone().map(|row| row.key_only(relation)),
            (Operation::Insert | Operation::Delete, None) => None,
        };
        Ok(Change {
            relation: Arc::clone(relation),
            operation,
            committed_at: Arc::clone(committed_at),
            position,
            new,
            old,
            large: false,
            whole: None,
        })
    }

    fn define(&mut self, message: RelationMessage) {
        let columns = message.columns.into_iter();
        let relation = Relation {
            oid: message.oid,
            schema: named_schema(message.schema),
            table: message.table,
            columns: columns.map(|column| self.column(column)).collect(),
        };
        let relation = if self.live {
            self.known.newest(relation)
        } else {
            self.known.earlier(relation)
        };
        self.tables.insert(relation.oid, relation);
    }

    fn column(&self, column: ColumnMessage) -> Column {
        let described = self.types.get(&column.type_oid).cloned();
        let (type_name, kind) = described
            .or_else(|| types::built_in(column.type_oid))
            .unwrap_or_else(|| ("unknown".to_owned(), Kind::Scalar(Scalar::Text)));
        Column {
            name: column.name,
            type_name,
            kind: self.known.kind(column.type_oid).unwrap_or(kind),
            key: column.key,
        }
    }

    fn name_type(&mut self, message: TypeMessage) {
        let kind = types::named(&message.schema, &message.name);
        self.types.insert(message.oid, (message.name, kind));
    }
}

fn named_schema(schema: String) -> String {
    if schema.is_empty() {
        "pg_catalog".to_owned()
    } else {
        schema
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::change::Cell;
    use super::super::pgoutput::{OldTuple, Tuple, Value};
    use super::*;

    const POSITION: Position = Position {
        epoch: 1,
        commit_lsn: 10,
        sequence: 1,
    };

    fn todos(relations: &mut Relations) {
        let column = |name: &str, type_oid, key| ColumnMessage {
            key,
            name: name.to_owned(),
            type_oid,
        };
        let message = Message::Relation(RelationMessage {
            oid: 7,
            schema: "public".to_owned(),
            table: "todos".to_owned(),
            columns: vec![column("id", 23, true), column("body", 25, false)],
        });
        relations.describe(message);
    }

    fn relations() -> Relations {
        Relations::of_connection(Arc::default())
    }

    fn apply(relations: &Relations, message: Message) -> Change {
        relations
            .change(message, &"2024-01-02T03:04:05.678Z".into(), POSITION)
            .expect("described")
    }

    fn text(text: &'static str) -> Value {
        Value::Text(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn an_update_without_an_old_row_has_the_key_as_old() {
        let mut relations = relations();
        todos(&mut relations);
        let update = Message::Update {
            relation: 7,
            old: None,
            new: Tuple(vec![text("1"), text("milk")]),
        };
        let change = apply(&relations, update);
        let old = change.old.expect("an old row");
        assert_eq!(old.cell(0).text(), Some("1"));
        assert_eq!(old.cell(1), &Cell::Unknown);
    }

    #[test]
    fn large_values_left_as_they_were_come_from_a_full_old_row() {
        let mut relations = relations();
        todos(&mut relations);
        let new = Tuple(vec![text("1"), Value::Unchanged]);
        let full = OldTuple::Full(Tuple(vec![text("1"), text("large")]));
        let update = |old| Message::Update {
            relation: 7,
            old,
            new: new.clone(),
        };
        let change = apply(&relations, update(Some(full)));
        assert_eq!(change.subject().cell(1).text(), Some("large"));
        let change = apply(&relations, update(None));
        assert_eq!(change.subject().cell(1), &Cell::Unknown);
    }

    #[test]
    fn the_journal_shares_the_newest_definition_and_the_server_renews_it() {
        let known = Arc::<KnownTables>::default();
        let mut live = Relations::of_connection(Arc::clone(&known));
        let mut replayed = Relations::of_journal(Arc::clone(&known));
        todos(&mut live);
        todos(&mut replayed);
        assert!(Arc::ptr_eq(&live.tables[&7], &replayed.tables[&7]));
        todos(&mut live);
        assert!(!Arc::ptr_eq(&live.tables[&7], &replayed.tables[&7]));
    }

    #[test]
    fn a_table_never_described_is_an_error() {
        let insert = Message::Insert {
            relation: 9,
            new: Tuple(Vec::new()),
        };
        let unknown = relations().change(insert, &"".into(), POSITION);
        assert_eq!(unknown.err(), Some(UnknownRelation(9)));
    }
}
