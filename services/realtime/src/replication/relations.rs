//! The tables and types the server has described on this connection, and changes told in their
//! terms.

use std::collections::HashMap;
use std::sync::Arc;

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

/// The tables and types described on one connection.
#[derive(Debug, Default)]
pub struct Relations {
    relations: HashMap<u32, Arc<Relation>>,
    types: HashMap<u32, (String, Kind)>,
}

impl Relations {
    /// Takes one message; answers the change, if it is one.
    pub fn apply(
        &mut self,
        message: Message,
        committed_at: &Arc<str>,
        position: Position,
    ) -> Result<Option<Change>, UnknownRelation> {
        let (oid, operation, new, old) = match message {
            Message::Relation(relation) => {
                self.define(relation);
                return Ok(None);
            }
            Message::Type(name) => {
                self.name_type(name);
                return Ok(None);
            }
            Message::Other(_) => return Ok(None),
            Message::Insert { relation, new } => (relation, Operation::Insert, Some(new), None),
            Message::Update { relation, old, new } => (relation, Operation::Update, Some(new), old),
            Message::Delete { relation, old } => (relation, Operation::Delete, None, Some(old)),
        };
        let relation = self.relations.get(&oid).ok_or(UnknownRelation(oid))?;
        let new = new.map(|tuple| Row::new(tuple, old.as_ref()));
        let old = match (operation, old) {
            (_, Some(tuple)) => Some(Row::old(relation, tuple)),
            // The log repeats the key only where it changed; elsewhere the new row has it.
            (Operation::Update, None) => new.clone().map(|row| row.key_only(relation)),
            (Operation::Insert | Operation::Delete, None) => None,
        };
        Ok(Some(Change {
            relation: Arc::clone(relation),
            operation,
            committed_at: Arc::clone(committed_at),
            position,
            new,
            old,
        }))
    }

    fn define(&mut self, message: RelationMessage) {
        let columns = message.columns.into_iter();
        let relation = Relation {
            oid: message.oid,
            schema: named_schema(message.schema),
            table: message.table,
            columns: columns.map(|column| self.column(column)).collect(),
        };
        self.relations.insert(relation.oid, Arc::new(relation));
    }

    fn column(&self, column: ColumnMessage) -> Column {
        let described = self.types.get(&column.type_oid).cloned();
        let (type_name, kind) = described
            .or_else(|| types::built_in(column.type_oid))
            .unwrap_or_else(|| ("unknown".to_owned(), Kind::Scalar(Scalar::Text)));
        Column {
            name: column.name,
            type_name,
            kind,
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
        apply(relations, message);
    }

    fn apply(relations: &mut Relations, message: Message) -> Option<Change> {
        relations
            .apply(message, &"2024-01-02T03:04:05.678Z".into(), POSITION)
            .expect("described")
    }

    fn text(text: &'static str) -> Value {
        Value::Text(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn an_update_without_an_old_row_has_the_key_as_old() {
        let mut relations = Relations::default();
        todos(&mut relations);
        let update = Message::Update {
            relation: 7,
            old: None,
            new: Tuple(vec![text("1"), text("milk")]),
        };
        let change = apply(&mut relations, update).expect("a change");
        let old = change.old.expect("an old row");
        assert_eq!(old.cell(0).text(), Some("1"));
        assert_eq!(old.cell(1), &Cell::Unknown);
    }

    #[test]
    fn large_values_left_as_they_were_come_from_a_full_old_row() {
        let mut relations = Relations::default();
        todos(&mut relations);
        let new = Tuple(vec![text("1"), Value::Unchanged]);
        let full = OldTuple::Full(Tuple(vec![text("1"), text("large")]));
        let update = |old| Message::Update {
            relation: 7,
            old,
            new: new.clone(),
        };
        let change = apply(&mut relations, update(Some(full))).expect("a change");
        assert_eq!(change.subject().cell(1).text(), Some("large"));
        let change = apply(&mut relations, update(None)).expect("a change");
        assert_eq!(change.subject().cell(1), &Cell::Unknown);
    }

    #[test]
    fn a_table_never_described_is_an_error() {
        let insert = Message::Insert {
            relation: 9,
            new: Tuple(Vec::new()),
        };
        let unknown = Relations::default().apply(insert, &"".into(), POSITION);
        assert_eq!(unknown.err(), Some(UnknownRelation(9)));
    }
}
