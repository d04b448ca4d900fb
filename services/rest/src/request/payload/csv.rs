//! CSV rows (RFC 4180) as the JSON that the rest of a write knows: the first line names the
//! columns, and every value is a text. `NULL` without quotes is null; nothing is the empty text.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::error::ApiError;

/// The rows of a CSV body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// A JSON array of objects.
    pub json: String,
    pub columns: BTreeSet<String>,
}

/// Reads a whole body.
pub(super) fn parse(text: &str) -> Result<Rows, ApiError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = Records { rest: text };
    let header = records.next().ok_or_else(|| invalid("Empty csv"))??;
    let header: Vec<String> = header.into_iter().map(|field| field.text).collect();
    let columns: BTreeSet<String> = header.iter().cloned().collect();
    if columns.len() < header.len() || columns.contains("") {
        return Err(invalid("The columns of the csv must have different names"));
    }
    let mut json = String::from("[");
    for record in records {
        let record = record?;
        if record.len() != header.len() {
            return Err(invalid("All lines must have same number of fields"));
        }
        let values = record.into_iter().map(Field::value);
        let row: Map<String, Value> = header.iter().cloned().zip(values).collect();
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&Value::from(row).to_string());
    }
    json.push(']');
    Ok(Rows { json, columns })
}

fn invalid(message: &str) -> ApiError {
    ApiError::Body(message.to_owned())
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    text: String,
    quoted: bool,
}

impl Field {
    fn value(self) -> Value {
        if !self.quoted && self.text == "NULL" {
            Value::Null
        } else {
            Value::from(self.text)
        }
    }
}

/// The lines of the body, each a list of fields; a line without anything is none.
struct Records<'t> {
    rest: &'t str,
}

impl Iterator for Records<'_> {
    type Item = Result<Vec<Field>, ApiError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        (!self.rest.is_empty()).then(|| self.record())
    }
}

impl<'t> Records<'t> {
    fn record(&mut self) -> Result<Vec<Field>, ApiError> {
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else {
                return Ok(fields);
            }
        }
    }

    fn field(&mut self) -> Result<Field, ApiError> {
        if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest;
            return self.quoted();
        }
        let text = self.take_until(&[',', '\r', '\n']).to_owned();
        Ok(Field {
            text,
            quoted: false,
        })
    }

    /// A field after its first quote; a quote inside is written twice.
    fn quoted(&mut self) -> Result<Field, ApiError> {
        let mut text = String::new();
        loop {
            text.push_str(self.take_until(&['"']));
            let Some(rest) = self.rest.strip_prefix('"') else {
                return Err(invalid("A quoted field of the csv does not end"));
            };
            if let Some(rest) = rest.strip_prefix('"') {
                text.push('"');
                self.rest = rest;
            } else {
                self.rest = rest;
                break;
            }
        }
        if self.rest.is_empty() || self.rest.starts_with([',', '\r', '\n']) {
            Ok(Field { text, quoted: true })
        } else {
            Err(invalid("A quoted field of the csv goes on after its quote"))
        }
    }

    fn take_until(&mut self, ends: &[char]) -> &'t str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        parse(text).expect(text).json
    }

    #[test]
    fn values_are_texts_and_null_is_the_word_without_quotes() {
        let rows = parse("a,b\r\n1,NULL\r\n\"x,\"\"y\"\"\n\",\"NULL\"\n,\"\"\n").unwrap();
        let expected = r#"[{"a":"1","b":null},{"a":"x,\"y\"\n","b":"NULL"},{"a":"","b":""}]"#;
        assert_eq!(rows.json, expected);
        assert_eq!(rows.columns, ["a", "b"].map(str::to_owned).into());
        assert_eq!(json("a\n"), "[]");
        assert_eq!(json("\u{feff}a\n\nå"), r#"[{"a":"å"}]"#);
    }

    #[test]
    fn what_is_no_csv_is_refused() {
        for text in [
            "",
            "\n",
            "a,a\n1,2",
            "a,\n1,2",
            "a,b\n1",
            "a\n1,2",
            "a\n\"1",
            "a\n\"1\"2",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
