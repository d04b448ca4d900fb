//! Rows as the text that Postgres' `json_agg` makes of them, byte for byte.
//!
//! Made here of each value's text, since gathering rows costs Postgres as much again as reading
//! them: <https://www.postgresql.org/docs/current/functions-json.html> says what becomes of which
//! type.

mod array;
mod scalar;

use pg::pipeline::Column;

use array::add_array;
use scalar::{Scalar, add_string};

/// What is between two rows.
const BETWEEN: &[u8] = b", \n ";

/// How the columns of a result are written.
#[derive(Debug)]
pub(crate) struct RowWriter {
    columns: Vec<ColumnWriter>,
}

#[derive(Debug)]
struct ColumnWriter {
    /// `{"id":` or `,"name":`.
    key: Vec<u8>,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Scalar(Scalar),
    Array(Scalar),
}

/// A value that is not written as was to be expected of its type; Postgres has to make the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unexpected;

impl RowWriter {
    /// For rows of `columns`.
    pub(crate) fn new(columns: &[Column]) -> Result<Self, Unexpected> {
        let columns = columns.iter().enumerate().map(|(position, column)| {
            let mut key = vec![if position == 0 { b'{' } else { b',' }];
            add_string(&mut key, column.name.as_bytes());
            key.push(b':');
            let value = Value::of_type(column.type_oid).ok_or(Unexpected)?;
            Ok(ColumnWriter { key, value })
        });
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
        })
    }

    /// Adds a row, after others where `json` does not end with what opens a list.
    pub(crate) fn add<'v>(
        &self,
        json: &mut Vec<u8>,
        values: impl Iterator<Item = Option<&'v [u8]>>,
    ) -> Result<(), Unexpected> {
        if json.last() == Some(&b'}') {
            json.extend_from_slice(BETWEEN);
        }
        for (column, value) in self.columns.iter().zip(values) {
            json.extend_from_slice(&column.key);
            match (value, column.value) {
                (None, _) => json.extend_from_slice(b"null"),
                (Some(text), Value::Scalar(scalar)) => scalar.add(json, text)?,
                (Some(text), Value::Array(element)) => add_array(json, element, text)?,
            }
        }
        json.push(b'}');
        Ok(())
    }
}

impl Value {
    /// By the OID, which is the same in every Postgres (`pg_type.dat`).
    fn of_type(oid: u32) -> Option<Self> {
        Some(match oid {
            16 => Self::Scalar(Scalar::Boolean),
            // int8, int2, int4, float4, float8, numeric
            20 | 21 | 23 | 700 | 701 | 1700 => Self::Scalar(Scalar::Number),
            114 | 3802 => Self::Scalar(Scalar::Json),
            1082 => Self::Scalar(Scalar::Date),
            1114 => Self::Scalar(Scalar::Timestamp),
            1184 => Self::Scalar(Scalar::TimestampWithZone),
            // bytea, name, text, oid, cidr, money, macaddr, inet, bpchar, varchar, time, interval,
            // timetz, bit, varbit, uuid
            17 | 19 | 25 | 26 | 650 | 790 | 829 | 869 | 1042 | 1043 | 1083 | 1186 | 1266 | 1560
            | 1562 | 2950 => Self::Scalar(Scalar::String),
            1000 => Self::Array(Scalar::Boolean),
            1005 | 1007 | 1016 | 1021 | 1022 | 1231 => Self::Array(Scalar::Number),
            199 | 3807 => Self::Array(Scalar::Json),
            1182 => Self::Array(Scalar::Date),
            1115 => Self::Array(Scalar::Timestamp),
            1185 => Self::Array(Scalar::TimestampWithZone),
            651 | 791 | 1001 | 1003 | 1009 | 1014 | 1015 | 1028 | 1040 | 1041 | 1183 | 1187
            | 1270 | 1561 | 1563 | 2951 => Self::Array(Scalar::String),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_oid: u32) -> Column {
        Column {
            name: name.to_owned(),
            type_oid,
            table_oid: 0,
        }
    }

    #[test]
    fn rows_are_objects_with_what_postgres_puts_between_them() {
        let writer = RowWriter::new(&[column("id", 23), column("a \"name\"", 25)]).expect("known");
        let mut json = b"[".to_vec();
        for values in [[Some(&b"1"[..]), Some(b"x\ty")], [Some(b"2"), None]] {
            writer.add(&mut json, values.into_iter()).expect("a row");
        }
        json.push(b']');
        let text = String::from_utf8(json).expect("UTF-8");
        let rows =
            "[{\"id\":1,\"a \\\"name\\\"\":\"x\\ty\"}, \n {\"id\":2,\"a \\\"name\\\"\":null}]";
        assert_eq!(text, rows);
    }

    #[test]
    fn types_that_are_not_postgres_own_are_not_guessed() {
        assert_eq!(
            RowWriter::new(&[column("kind", 16_400)]).err(),
            Some(Unexpected)
        );
    }
}
