//! Which rows a database trigger is for, as realtime's filters are written: `column=eq.value`.

use serde::Serialize;
use serde_json::{Value, json};

use super::TriggerError;

const OPERATORS: [&str; 8] = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "is"];

/// What a row must have (`functions.row_matches`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Condition {
    column: String,
    operator: String,
    /// Text, or a list of texts for `in`.
    value: Value,
}

/// Reads one filter or a list of them; a row must pass all.
pub(super) fn read(written: Option<&Value>) -> Result<Vec<Condition>, TriggerError> {
    let refused = |value: &Value| TriggerError::Filter(value.to_string());
    match written {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Condition::parse(text)?]),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| Condition::parse(one.as_str().ok_or_else(|| refused(one))?))
            .collect(),
        Some(other) => Err(refused(other)),
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, TriggerError> {
        let refused = || TriggerError::Filter(text.to_owned());
        let (column, rest) = text.split_once('=').ok_or_else(refused)?;
        let (operator, value) = rest.split_once('.').ok_or_else(refused)?;
        let (column, operator) = (column.trim(), operator.trim());
        if column.is_empty() || !OPERATORS.contains(&operator) {
            return Err(refused());
        }
        let value = if operator == "in" {
            let list = value
                .strip_prefix('(')
                .and_then(|list| list.strip_suffix(')'));
            let items = list.ok_or_else(refused)?.split(',');
            json!(
                items
                    .map(|item| item.trim().trim_matches('"'))
                    .collect::<Vec<_>>()
            )
        } else {
            json!(value)
        };
        Ok(Self {
            column: column.to_owned(),
            operator: operator.to_owned(),
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_realtimes_are() {
        let read = |value: Value| read(Some(&value)).map(|all| json!(all));
        assert_eq!(
            read(json!(["status=in.(a, \"b\")", "price=gte.1.5"])),
            Ok(json!([
                { "column": "status", "operator": "in", "value": ["a", "b"] },
                { "column": "price", "operator": "gte", "value": "1.5" },
            ]))
        );
        for bad in [
            json!("a"),
            json!("a=b"),
            json!("=eq.1"),
            json!("a=like.x"),
            json!(1),
            json!("a=in.1"),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
