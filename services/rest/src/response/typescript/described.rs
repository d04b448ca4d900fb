//! What the catalogue says for types.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::writer::text;

/// What a role may use of the exposed schemas.
#[derive(Debug, Deserialize)]
pub(crate) struct Described {
    pub(super) relations: Vec<Relation>,
    pub(super) functions: Vec<Function>,
    pub(super) enums: Vec<Enum>,
    pub(super) composites: Vec<Composite>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Relation {
    pub schema: String,
    pub name: String,
    pub is_view: bool,
    pub insert: bool,
    pub update: bool,
    /// By name.
    pub columns: Vec<Column>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: Type,
    pub nullable: bool,
    /// Whether Postgres gives it a value where none is given.
    pub optional: bool,
    /// Whether nobody may give it a value.
    pub generated: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Function {
    pub schema: String,
    pub name: String,
    /// By name.
    pub parameters: Vec<Parameter>,
    /// The relation whose row is its only parameter.
    pub row_of: Option<String>,
    pub returns: Returned,
    pub set: bool,
    /// Whether the set is declared to have one row.
    pub single: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parameter {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: Type,
    pub optional: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Returned {
    Columns(Vec<Attribute>),
    Type(Type),
}

#[derive(Debug, Deserialize)]
pub(super) struct Attribute {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: Type,
}

#[derive(Debug, Deserialize)]
pub(super) struct Enum {
    pub schema: String,
    pub name: String,
    /// In their order.
    pub labels: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Composite {
    pub schema: String,
    pub name: String,
    pub attributes: Vec<Attribute>,
}

/// A type, or the type that a list holds.
#[derive(Debug, Deserialize)]
pub(super) struct Type {
    pub schema: String,
    pub name: String,
    pub kind: Kind,
    pub list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Base,
    Enum,
    Composite,
    Table,
    View,
}

/// What there is to refer to, by the part of a schema it is in.
pub(super) struct Known<'d>(BTreeSet<(&'d str, &'static str, &'d str)>);

impl<'d> Known<'d> {
    pub(super) fn of(described: &'d Described) -> Self {
        let relations = described.relations.iter().map(|relation| {
            let part = if relation.is_view { "Views" } else { "Tables" };
            (relation.schema.as_str(), part, relation.name.as_str())
        });
        let enums = described.enums.iter();
        let enums = enums.map(|known| (known.schema.as_str(), "Enums", known.name.as_str()));
        let composites = described.composites.iter();
        let composites =
            composites.map(|known| (known.schema.as_str(), "CompositeTypes", known.name.as_str()));
        Self(relations.chain(enums).chain(composites).collect())
    }
}

impl Type {
    /// The type in TypeScript, of a value that is there.
    pub(super) fn written(&self, known: &Known<'_>) -> String {
        let (part, row) = match self.kind {
            Kind::Base => return self.listed(base(&self.name).to_owned()),
            Kind::Enum => ("Enums", ""),
            Kind::Composite => ("CompositeTypes", ""),
            Kind::Table => ("Tables", "[\"Row\"]"),
            Kind::View => ("Views", "[\"Row\"]"),
        };
        if !known
            .0
            .contains(&(self.schema.as_str(), part, self.name.as_str()))
        {
            return self.listed("unknown".to_owned());
        }
        let (schema, name) = (text(&self.schema), text(&self.name));
        self.listed(format!("Database[{schema}][\"{part}\"][{name}]{row}"))
    }

    fn listed(&self, single: String) -> String {
        match (self.list, single.contains(' ')) {
            (false, _) => single,
            (true, false) => format!("{single}[]"),
            (true, true) => format!("({single})[]"),
        }
    }
}

/// What values of a type of Postgres are in JSON.
fn base(name: &str) -> &'static str {
    match name {
        "bool" => "boolean",
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" => "number",
        "bytea" | "bpchar" | "varchar" | "date" | "text" | "citext" | "time" | "timetz"
        | "timestamp" | "timestamptz" | "uuid" | "vector" | "name" => "string",
        "json" | "jsonb" => "Json",
        "void" => "undefined",
        "record" => "Record<string, unknown>",
        _ => "unknown",
    }
}
