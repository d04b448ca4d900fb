//! The type `Database` and the values of its enums.

use std::collections::HashMap;

use super::described::{Attribute, Column, Described, Enum, Kind, Known, Relation, Returned};
use super::writer::{Writer, property, text};
use crate::schema_cache::QualifiedName;
use crate::schema_cache::relationship::{ColumnPair, Relationship};

/// The version of the protocol whose inference `supabase-js` is to use.
const PROTOCOL: &str = "13.0.5";

/// The keys of each table and view.
pub(super) type Keys = HashMap<QualifiedName, Vec<Relationship>>;

/// Adds `export type Database = {…}`.
pub(super) fn add_database(
    writer: &mut Writer,
    (described, keys): (&Described, &Keys),
    schemas: &[&String],
) {
    let known = Known::of(described);
    writer.block("export type Database = ", "", |writer| {
        writer.properties("__InternalSupabase", [PROTOCOL], |writer, version| {
            writer.line(format!("PostgrestVersion: {}", text(version)));
        });
        for name in schemas {
            let schema = Schema {
                name,
                described,
                keys,
                known: &known,
            };
            schema.add(writer);
        }
    });
}

/// Adds `export const Constants = {…} as const`.
pub(super) fn add_constants(writer: &mut Writer, described: &Described, schemas: &[&String]) {
    writer.block("export const Constants = ", " as const", |writer| {
        for schema in schemas {
            writer.block(format!("{}: ", property(schema)), ",", |writer| {
                writer.block("Enums: ", ",", |writer| {
                    let enums = described.enums.iter();
                    for known in enums.filter(|known| known.schema == **schema) {
                        let labels: Vec<String> =
                            known.labels.iter().map(|label| text(label)).collect();
                        let labels = labels.join(", ");
                        writer.line(format!("{}: [{labels}],", property(&known.name)));
                    }
                });
            });
        }
    });
}

pub(super) struct Schema<'a> {
    pub name: &'a str,
    pub described: &'a Described,
    keys: &'a Keys,
    pub known: &'a Known<'a>,
}

impl Schema<'_> {
    fn add(&self, writer: &mut Writer) {
        writer.properties(&property(self.name), [self], |writer, schema| {
            let relations = schema.described.relations.iter();
            let relations = relations.filter(|relation| relation.schema == self.name);
            let (views, tables): (Vec<_>, Vec<_>) = relations.partition(|one| one.is_view);
            writer.properties("Tables", tables, |writer, one| self.relation(writer, one));
            writer.properties("Views", views, |writer, one| self.relation(writer, one));
            writer.properties("Functions", self.overloads(), |writer, overloads| {
                self.function(writer, &overloads);
            });
            let enums = schema.described.enums.iter();
            let enums = enums.filter(|known| known.schema == self.name);
            writer.properties("Enums", enums, add_enum);
            let composites = schema.described.composites.iter();
            let composites = composites.filter(|known| known.schema == self.name);
            writer.properties("CompositeTypes", composites, |writer, composite| {
                let attributes = &composite.attributes;
                writer.properties(&property(&composite.name), attributes, |writer, one| {
                    self.attribute(writer, one);
                });
            });
        });
    }

    fn attribute(&self, writer: &mut Writer, attribute: &Attribute) {
        let name = property(&attribute.name);
        let written = attribute.type_name.written(self.known);
        writer.line(format!("{name}: {written} | null"));
    }

    fn relation(&self, writer: &mut Writer, relation: &Relation) {
        writer.properties(&property(&relation.name), [relation], |writer, one| {
            writer.properties("Row", ["columns", "computed"], |writer, part| {
                if part == "columns" {
                    for column in &one.columns {
                        let value = self.value(column);
                        writer.line(format!("{}: {value}", property(&column.name)));
                    }
                } else {
                    self.computed(writer, one);
                }
            });
            if one.insert {
                let columns = &one.columns;
                writer.properties("Insert", columns, |writer, column| {
                    let optional = column.optional || column.nullable;
                    self.given(writer, column, optional);
                });
            }
            if one.update {
                let columns = &one.columns;
                writer.properties("Update", columns, |writer, column| {
                    self.given(writer, column, true);
                });
            }
            self.relationships(writer, one);
        });
    }

    fn value(&self, column: &Column) -> String {
        let null = if column.nullable { " | null" } else { "" };
        format!("{}{null}", column.type_name.written(self.known))
    }

    fn given(&self, writer: &mut Writer, column: &Column, optional: bool) {
        let name = property(&column.name);
        if column.generated {
            writer.line(format!("{name}?: never"));
        } else {
            let optional = if optional { "?" } else { "" };
            writer.line(format!("{name}{optional}: {}", self.value(column)));
        }
    }

    /// The functions of the row that `select` may name.
    fn computed(&self, writer: &mut Writer, relation: &Relation) {
        for function in &self.described.functions {
            if let Returned::Type(returned) = &function.returns
                && function.schema == self.name
                && function.row_of.as_deref() == Some(relation.name.as_str())
                && matches!(returned.kind, Kind::Base | Kind::Enum)
                && !function.set
            {
                let written = returned.written(self.known);
                writer.line(format!("{}: {written} | null", property(&function.name)));
            }
        }
    }

    fn relationships(&self, writer: &mut Writer, relation: &Relation) {
        let mut keys: Vec<&Relationship> = self
            .keys
            .get(&QualifiedName::new(self.name, &relation.name))
            .into_iter()
            .flatten()
            .filter(|known| known.foreign_table.schema == self.name)
            .collect();
        keys.sort_by_key(|known| {
            let constraint = known.key().map(|key| key.constraint.as_str());
            (constraint.unwrap_or_default(), &known.foreign_table.name)
        });
        if keys.is_empty() {
            writer.line("Relationships: []");
            return;
        }
        writer.block("Relationships: [", "", |writer| {
            for relationship in keys {
                writer.block("", ",", |writer| add_relationship(writer, relationship));
            }
        });
    }
}

fn add_enum(writer: &mut Writer, known: &Enum) {
    let labels: Vec<String> = known.labels.iter().map(|label| text(label)).collect();
    let labels = if labels.is_empty() {
        "never".to_owned()
    } else {
        labels.join(" | ")
    };
    writer.line(format!("{}: {labels}", property(&known.name)));
}

fn add_relationship(writer: &mut Writer, relationship: &Relationship) {
    let Some(key) = relationship.key() else {
        return;
    };
    let names = |side: fn(&ColumnPair) -> &String| {
        let names: Vec<String> = key.columns.iter().map(|pair| text(side(pair))).collect();
        names.join(", ")
    };
    let unique = relationship.is_one_to_one();
    writer.line(format!("foreignKeyName: {}", text(&key.constraint)));
    writer.line(format!("columns: [{}]", names(|pair| &pair.own)));
    writer.line(format!("isOneToOne: {unique}"));
    let foreign = text(&relationship.foreign_table.name);
    writer.line(format!("referencedRelation: {foreign}"));
    writer.line(format!(
        "referencedColumns: [{}]",
        names(|pair| &pair.foreign)
    ));
}
