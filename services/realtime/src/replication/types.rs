//! What is known of the built-in types: their names, and which JSON their values become. The
//! same JSON that Postgres' own `to_jsonb` makes.

use std::sync::Arc;

/// Which JSON a type's text becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `t` and `f`.
    Bool,
    /// A number; what JSON has no number for (`NaN`, `Infinity`) becomes a string.
    Number,
    /// JSON itself.
    Json,
    /// A date and time; ISO 8601 has a `T` where Postgres writes a space.
    Timestamp,
    /// The same with an offset.
    TimestampTz,
    /// A UUID, a string; it may be written in several ways.
    Uuid,
    /// A string filled up with blanks, which do not count.
    Padded,
    /// A string.
    Text,
}

/// How a column's values are written as JSON. Cloning shares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One value.
    Scalar(Scalar),
    /// An array of any dimensions, by its elements.
    Array(Arc<Kind>),
    /// A row of a composite type.
    Composite(Arc<[Field]>),
}

/// An attribute of a composite type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// How its values are written.
    pub kind: Kind,
}

impl Kind {
    /// An array of scalars.
    fn array(element: Scalar) -> Self {
        Self::Array(Arc::new(Self::Scalar(element)))
    }
}

use Scalar::{Bool, Json, Number, Padded, Text, Timestamp, TimestampTz, Uuid};

/// Oid, name, the oid of the array type (0 where it has none that is read here), JSON.
const BUILT_IN: &[(u32, &str, u32, Scalar)] = &[
    (16, "bool", 1000, Bool),
    (17, "bytea", 1001, Text),
    (18, "char", 1002, Text),
    (19, "name", 1003, Text),
    (20, "int8", 1016, Number),
    (21, "int2", 1005, Number),
    (22, "int2vector", 1006, Text),
    (23, "int4", 1007, Number),
    (24, "regproc", 1008, Text),
    (25, "text", 1009, Text),
    (26, "oid", 1028, Number),
    (27, "tid", 1010, Text),
    (28, "xid", 1011, Text),
    (29, "cid", 1012, Text),
    (30, "oidvector", 1013, Text),
    (114, "json", 199, Json),
    (142, "xml", 143, Text),
    (600, "point", 1017, Text),
    (601, "lseg", 1018, Text),
    (602, "path", 1019, Text),
    (603, "box", 0, Text),
    (604, "polygon", 1027, Text),
    (628, "line", 629, Text),
    (650, "cidr", 651, Text),
    (700, "float4", 1021, Number),
    (701, "float8", 1022, Number),
    (718, "circle", 719, Text),
    (774, "macaddr8", 775, Text),
    (790, "money", 791, Text),
    (829, "macaddr", 1040, Text),
    (869, "inet", 1041, Text),
    (1020, "_box", 0, Text),
    (1042, "bpchar", 1014, Padded),
    (1043, "varchar", 1015, Text),
    (1082, "date", 1182, Text),
    (1083, "time", 1183, Text),
    (1114, "timestamp", 1115, Timestamp),
    (1184, "timestamptz", 1185, TimestampTz),
    (1186, "interval", 1187, Text),
    (1266, "timetz", 1270, Text),
    (1560, "bit", 1561, Text),
    (1562, "varbit", 1563, Text),
    (1700, "numeric", 1231, Number),
    (2202, "regprocedure", 2207, Text),
    (2203, "regoper", 2208, Text),
    (2204, "regoperator", 2209, Text),
    (2205, "regclass", 2210, Text),
    (2206, "regtype", 2211, Text),
    (2950, "uuid", 2951, Uuid),
    (3220, "pg_lsn", 3221, Text),
    (3614, "tsvector", 3643, Text),
    (3615, "tsquery", 3645, Text),
    (3734, "regconfig", 3735, Text),
    (3769, "regdictionary", 3770, Text),
    (3802, "jsonb", 3807, Json),
    (3904, "int4range", 3905, Text),
    (3906, "numrange", 3907, Text),
    (3908, "tsrange", 3909, Text),
    (3910, "tstzrange", 3911, Text),
    (3912, "daterange", 3913, Text),
    (3926, "int8range", 3927, Text),
    (4072, "jsonpath", 4073, Text),
    (4089, "regnamespace", 4090, Text),
    (4096, "regrole", 4097, Text),
    (4451, "int4multirange", 6150, Text),
    (4532, "nummultirange", 6151, Text),
    (4533, "tsmultirange", 6152, Text),
    (4534, "tstzmultirange", 6153, Text),
    (4535, "datemultirange", 6155, Text),
    (4536, "int8multirange", 6157, Text),
    (5069, "xid8", 271, Text),
];

/// The name and kind of a built-in type.
pub fn built_in(oid: u32) -> Option<(String, Kind)> {
    if oid == 0 {
        return None;
    }
    BUILT_IN.iter().find_map(|(scalar, name, array, json)| {
        if *scalar == oid {
            Some(((*name).to_owned(), Kind::Scalar(*json)))
        } else if *array == oid {
            Some((format!("_{name}"), Kind::array(*json)))
        } else {
            None
        }
    })
}

/// The kind of a type that the server has only named: a domain goes by the built-in type below it,
/// an array of one's own type holds text, and so is everything else.
pub fn named(schema: &str, name: &str) -> Kind {
    if !schema.is_empty() {
        return match name.strip_prefix('_') {
            Some(_) => Kind::array(Text),
            None => Kind::Scalar(Text),
        };
    }
    let array = name.strip_prefix('_').filter(|_| name != "_box");
    let base = array.unwrap_or(name);
    let entry = BUILT_IN.iter().find(|entry| entry.1 == base);
    let json = entry.map_or(Text, |entry| entry.3);
    match array {
        Some(_) => Kind::array(json),
        None => Kind::Scalar(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_arrays_and_domains_are_known() {
        assert_eq!(
            built_in(23),
            Some(("int4".to_owned(), Kind::Scalar(Number)))
        );
        assert_eq!(
            built_in(3807),
            Some(("_jsonb".to_owned(), Kind::array(Json)))
        );
        assert_eq!(built_in(0), None);
        assert_eq!(named("", "numeric"), Kind::Scalar(Number));
        assert_eq!(named("public", "_mood"), Kind::array(Text));
        assert_eq!(named("public", "int4"), Kind::Scalar(Text));
    }
}
