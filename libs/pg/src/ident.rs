//! Identifiers in SQL text. Values are always parameters; names cannot be, so they are written
//! only through these types, which quote them.

use std::fmt;

/// The longest name Postgres keeps; it truncates silently beyond this.
pub const MAX_IDENT_BYTES: usize = 63;

/// A name Postgres can have: 1 to 63 bytes without NUL. `Display` is its quoted form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(String);

/// A text that cannot be a Postgres name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentError {
    /// No characters at all.
    #[error("a name must not be empty")]
    Empty,
    /// Postgres would cut it.
    #[error("a name must not be longer than 63 bytes")]
    TooLong,
    /// Postgres text cannot carry it.
    #[error("a name must not contain a NUL character")]
    Nul,
}

impl Ident {
    /// `name` as it is, without quotes and with its case.
    pub fn new(name: impl Into<String>) -> Result<Self, IdentError> {
        let name = name.into();
        if name.is_empty() {
            Err(IdentError::Empty)
        } else if name.len() > MAX_IDENT_BYTES {
            Err(IdentError::TooLong)
        } else if name.contains('\0') {
            Err(IdentError::Nul)
        } else {
            Ok(Self(name))
        }
    }

    /// The bare name, for parameters and messages.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl TryFrom<&str> for Ident {
    type Error = IdentError;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<String> for Ident {
    type Error = IdentError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

/// A value for the setting `search_path`, each schema once, as Postgres itself prints it: so it can
/// be compared with what is set.
pub fn search_path<'n>(schemas: impl IntoIterator<Item = &'n str>) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut path = String::new();
    for schema in schemas {
        if known.contains(&schema) {
            continue;
        }
        known.push(schema);
        if path.is_empty() {
            path.reserve(64);
        } else {
            path.push_str(", ");
        }
        let mut bytes = schema.bytes();
        let plain = bytes
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        match Ident::new(schema) {
            Ok(_) if plain => path.push_str(schema),
            Ok(name) => path.push_str(&name.to_string()),
            // No schema has such a name; Postgres passes over those that do not exist.
            Err(_) => path.push_str("\"?\""),
        }
    }
    path
}

/// A name in a schema. `Display` is `"schema"."name"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QualifiedIdent {
    /// The schema.
    pub schema: Ident,
    /// The table, view, function or type in it.
    pub name: Ident,
}

impl QualifiedIdent {
    /// `name` in `schema`, both unquoted.
    pub fn new(schema: &str, name: &str) -> Result<Self, IdentError> {
        Ok(Self {
            schema: Ident::new(schema)?,
            name: Ident::new(name)?,
        })
    }
}

impl fmt::Display for QualifiedIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_they_hold() {
        let name = QualifiedIdent::new("public", r#"to"do; drop table x"#).expect("a name");
        assert_eq!(name.to_string(), r#""public"."to""do; drop table x""#);
    }

    #[test]
    fn names_postgres_would_change_are_refused() {
        assert_eq!(Ident::new(""), Err(IdentError::Empty));
        assert_eq!(Ident::new("a\0b"), Err(IdentError::Nul));
        assert_eq!(Ident::new("é".repeat(32)), Err(IdentError::TooLong));
        assert!(Ident::new("e".repeat(63)).is_ok());
    }

    #[test]
    fn a_search_path_is_written_as_postgres_prints_it() {
        let path = search_path(["public", "public", "Own", "$user", "a\"b", "x_1", ""]);
        assert_eq!(path, r#"public, "Own", "$user", "a""b", x_1, "?""#);
    }
}
