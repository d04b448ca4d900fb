//! What statements answer, as JSON.

use futures_util::TryStreamExt as _;
use pg::sqlx::postgres::{PgConnection, PgRow};
use pg::sqlx::{
    self, AssertSqlSafe, Column as _, Either, Row as _, TypeInfo as _, ValueRef as _, raw_sql,
};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Script, ScriptError};

/// The most rows of one statement that are kept.
const MAX_ROWS: usize = 10_000;

/// What one statement answered.
#[derive(Debug, Default, Serialize)]
pub(crate) struct StatementResult {
    pub columns: Vec<ResultColumn>,
    /// The values of each row, in the order of the columns.
    pub rows: Vec<Vec<Box<RawValue>>>,
    /// How many rows it answered or wrote.
    pub rows_affected: u64,
    /// Whether there were more rows than are told here.
    pub truncated: bool,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ResultColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
}

/// Runs the statements of `script`, and keeps what they answer within its limits.
pub(super) async fn collect(
    connection: &mut PgConnection,
    script: &Script<'_>,
) -> Result<Vec<StatementResult>, ScriptError> {
    let mut answers = raw_sql(AssertSqlSafe(script.text)).fetch_many(connection);
    let (mut results, mut current) = (Vec::new(), StatementResult::default());
    let mut left = script.max_bytes;
    while let Some(answer) = answers.try_next().await? {
        match answer {
            Either::Left(done) => {
                current.rows_affected = done.rows_affected();
                results.push(std::mem::take(&mut current));
            }
            Either::Right(row) => current.keep(&row, &mut left)?,
        }
    }
    Ok(results)
}

impl StatementResult {
    /// Keeps `row`, where there is room: the rest is read, and not kept.
    fn keep(&mut self, row: &PgRow, left: &mut usize) -> Result<(), ScriptError> {
        if self.columns.is_empty() {
            let columns = row.columns().iter();
            self.columns = columns
                .map(|column| ResultColumn {
                    name: column.name().to_owned(),
                    type_name: column.type_info().name().to_ascii_lowercase(),
                })
                .collect();
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            let value = row.try_get_raw(index)?;
            let text = if value.is_null() {
                None
            } else {
                Some(value.as_str().map_err(sqlx::Error::Decode)?)
            };
            values.push(
                json(&column.type_name, text).map_err(|error| {
                    ScriptError::Unsupported(sqlx::Error::Decode(Box::new(error)))
                })?,
            );
        }
        let size = values.iter().map(|value| value.get().len()).sum();
        if self.rows.len() == MAX_ROWS || *left < size {
            self.truncated = true;
            *left = 0;
            return Ok(());
        }
        *left -= size;
        self.rows.push(values);
        Ok(())
    }
}

/// A value that Postgres wrote as `text`: numbers, booleans and JSON as such, all else as a string.
fn json(type_name: &str, text: Option<&str>) -> Result<Box<RawValue>, serde_json::Error> {
    let Some(text) = text else {
        return serde_json::value::to_raw_value(&Value::Null);
    };
    match type_name {
        "bool" => serde_json::value::to_raw_value(&(text == "t")),
        "int2" | "int4" | "int8" | "oid" | "float4" | "float8" | "numeric" | "json" | "jsonb" => {
            // Not every number is one of JSON.
            RawValue::from_string(text.to_owned())
                .or_else(|_| serde_json::value::to_raw_value(text))
        }
        _ => serde_json::value::to_raw_value(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_are_in_json() {
        for (type_name, text, wanted) in [
            ("int4", Some("7"), "7"),
            ("numeric", Some("1.50"), "1.50"),
            ("numeric", Some("NaN"), "\"NaN\""),
            ("bool", Some("t"), "true"),
            ("jsonb", Some("{\"a\": 1}"), "{\"a\": 1}"),
            ("text", Some("7"), "\"7\""),
            ("timestamptz", Some("now"), "\"now\""),
            ("text", None, "null"),
        ] {
            let value = json(type_name, text).expect("a value");
            assert_eq!(value.get(), wanted, "{type_name} {text:?}");
        }
    }
}
