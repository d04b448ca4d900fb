//! SQL that is being written: its text, and the values of its parameters.

use std::fmt::Write as _;

use pg::{Ident, QualifiedIdent};

use crate::plan::read::TableRef;
use crate::schema_cache::QualifiedName;
use crate::schema_cache::table::{DefaultExpression, TypeName};

/// SQL text with the values of `$1`, `$2`, ….
///
/// What comes from a client gets in only as a value, or as a name, which is quoted: text is added
/// only as a literal of this program, or as it stands in Postgres' own catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Option<String>>,
}

impl Sql {
    /// The text and the values, each in Postgres' text format; `None` is null.
    /// The text so far; values are not part of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_parts(self) -> (String, Vec<Option<String>>) {
        (self.text, self.values)
    }

    /// Adds text of this program.
    pub(crate) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value.
    pub(crate) fn bind(&mut self, value: impl Into<String>) -> &mut Self {
        self.values.push(Some(value.into()));
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// Adds a statement of this program that numbers its parameters itself, with their values. It
    /// has to come first.
    pub(crate) fn bind_all<'v>(
        &mut self,
        text: &'static str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> &mut Self {
        self.push(text);
        let values = values.into_iter();
        self.values
            .extend(values.map(|value| Some(value.to_owned())));
        self
    }

    /// Adds a whole statement to one that has no parameters yet.
    pub(crate) fn append(mut self, statement: Self) -> Self {
        self.text.push_str(&statement.text);
        Self {
            text: self.text,
            values: statement.values,
        }
    }

    /// Adds a name.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        match Ident::new(name) {
            Ok(name) => {
                let _ = write!(self.text, "{name}");
            }
            // No object has such a name; Postgres shall say that it does not exist.
            Err(_) => self.text.push_str("\"?\""),
        }
        self
    }

    /// Adds a name with its schema.
    pub(crate) fn qualified(&mut self, name: &QualifiedName) -> &mut Self {
        if let Ok(name) = QualifiedIdent::new(&name.schema, &name.name) {
            let _ = write!(self.text, "{name}");
        } else {
            self.name(&name.schema).push(".").name(&name.name);
        }
        self
    }

    /// Adds what columns of a relation are written with.
    pub(crate) fn table(&mut self, table: &TableRef) -> &mut Self {
        match table {
            TableRef::Qualified(name) => self.qualified(name),
            TableRef::Alias(alias) => self.name(alias),
        }
    }

    /// Adds the place of an entry in the select list, counted from 1.
    pub(crate) fn position(&mut self, position: usize) -> &mut Self {
        let _ = write!(self.text, "{position}");
        self
    }

    /// Adds a column of a relation.
    pub(crate) fn column(&mut self, table: &TableRef, name: &str) -> &mut Self {
        self.table(table).push(".").name(name)
    }

    /// Adds a type of the catalogue.
    pub(crate) fn type_name(&mut self, name: &TypeName) -> &mut Self {
        self.text.push_str(name.as_str());
        self
    }

    /// Adds a default of the catalogue.
    pub(crate) fn expression(&mut self, expression: &DefaultExpression) -> &mut Self {
        self.text.push_str(expression.as_str());
        self
    }

    /// Adds a name of the catalogue as a text literal, for functions that take no parameters
    /// there (`jsonb_build_object` would not know the type).
    pub(crate) fn literal(&mut self, name: &str) -> &mut Self {
        self.bind(name).push("::text")
    }

    /// Adds each item, with `separator` between.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        separator: &'static str,
        mut add: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.push(separator);
            }
            add(self, item);
        }
        self
    }
}

/// An array literal of Postgres: `{"a","b"}`.
pub(crate) fn array_literal<'v>(values: impl IntoIterator<Item = &'v String>) -> String {
    let mut literal = String::from("{");
    for (position, value) in values.into_iter().enumerate() {
        if position > 0 {
            literal.push(',');
        }
        literal.push('"');
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(character);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}
