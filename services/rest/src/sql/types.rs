//! Types a client may cast to. A name is either a keyword that stands here, or an identifier.

use super::Sql;

/// Types whose names in SQL are keywords, not identifiers.
const KEYWORDS: [(&str, &str); 24] = [
    ("bigint", "bigint"),
    ("bit varying", "bit varying"),
    ("boolean", "boolean"),
    ("char", "char"),
    ("character", "character"),
    ("character varying", "character varying"),
    ("dec", "dec"),
    ("decimal", "decimal"),
    ("double precision", "double precision"),
    ("float", "float"),
    ("int", "int"),
    ("integer", "integer"),
    ("national character", "national character"),
    ("numeric", "numeric"),
    ("real", "real"),
    ("smallint", "smallint"),
    ("time", "time"),
    ("time with time zone", "time with time zone"),
    ("time without time zone", "time without time zone"),
    ("timestamp", "timestamp"),
    ("timestamp with time zone", "timestamp with time zone"),
    ("timestamp without time zone", "timestamp without time zone"),
    ("varchar", "varchar"),
    ("interval", "interval"),
];

impl Sql {
    /// Adds the type that a client named.
    pub(crate) fn cast_type(&mut self, name: &str) -> &mut Self {
        let lower = name.to_lowercase();
        match KEYWORDS.iter().find(|(known, _)| *known == lower) {
            Some((_, keyword)) => self.push(keyword),
            // Names without quotes are folded to lower case, as everywhere in SQL.
            None => self.name(&lower),
        }
    }
}
