//! Postgres' row literals (`(1,"a b",,"say ""hi""")`) as JSON objects.

use super::json;
use super::types::Field;

/// Writes the row `literal` to `out`. Answers false, with `out` as it was, where it is no literal
/// of a row of these fields.
pub fn write(out: &mut Vec<u8>, fields: &[Field], literal: &str) -> bool {
    let start = out.len();
    if write_fields(out, fields, literal).is_some() {
        return true;
    }
    out.truncate(start);
    false
}

fn write_fields(out: &mut Vec<u8>, fields: &[Field], literal: &str) -> Option<()> {
    let body = literal.strip_prefix('(')?.strip_suffix(')')?;
    out.push(b'{');
    let mut rest = body.chars();
    for (index, field) in fields.iter().enumerate() {
        let (value, last) = next_value(&mut rest)?;
        if index > 0 {
            out.push(b',');
        }
        json::write_string(out, &field.name);
        out.push(b':');
        match value {
            Some(text) => json::write_value(out, &field.kind, &text),
            None => out.extend_from_slice(b"null"),
        }
        if last != (index + 1 == fields.len()) {
            return None;
        }
    }
    out.push(b'}');
    (!fields.is_empty() || body.is_empty()).then_some(())
}

/// The next value, null where nothing stands for it, and whether it is the last; `None` where a
/// quote or an escape is not closed.
fn next_value(rest: &mut std::str::Chars<'_>) -> Option<(Option<String>, bool)> {
    let mut text: Option<String> = None;
    let mut quoted = false;
    loop {
        let Some(character) = rest.next() else {
            return (!quoted).then_some((text, true));
        };
        match character {
            ',' if !quoted => return Some((text, false)),
            '\\' => text.get_or_insert_default().push(rest.next()?),
            '"' if quoted && rest.as_str().starts_with('"') => {
                rest.next();
                text.get_or_insert_default().push('"');
            }
            '"' => {
                quoted = !quoted;
                text.get_or_insert_default();
            }
            other => text.get_or_insert_default().push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::types::{Kind, Scalar};
    use super::*;

    fn field(name: &str, kind: Kind) -> Field {
        Field {
            name: name.to_owned(),
            kind,
        }
    }

    fn fields() -> Vec<Field> {
        let number = Kind::Scalar(Scalar::Number);
        let inner = [field("x", number.clone()), field("y", number.clone())];
        vec![
            field("n", number.clone()),
            field("t", Kind::Scalar(Scalar::Text)),
            field("p", Kind::Composite(Arc::new(inner))),
            field("a", Kind::Array(Arc::new(number))),
        ]
    }

    fn json(fields: &[Field], literal: &str) -> Option<String> {
        let mut out = Vec::new();
        write(&mut out, fields, literal).then(|| String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn literals_become_json() {
        for (literal, expected) in [
            (
                r#"(1,a,"(2,3)","{4,5}")"#,
                r#"{"n":1,"t":"a","p":{"x":2,"y":3},"a":[4,5]}"#,
            ),
            ("(,,,)", r#"{"n":null,"t":null,"p":null,"a":null}"#),
            (
                r#"(1,"say ""hi"", \\ (ok)","(,)",{})"#,
                r#"{"n":1,"t":"say \"hi\", \\ (ok)","p":{"x":null,"y":null},"a":[]}"#,
            ),
            (r#"(1,"",,)"#, r#"{"n":1,"t":"","p":null,"a":null}"#),
        ] {
            let found = json(&fields(), literal);
            assert_eq!(found.as_deref(), Some(expected), "{literal}");
        }
        assert_eq!(json(&[], "()").as_deref(), Some("{}"));
        let text = [field("t", Kind::Scalar(Scalar::Text))];
        assert_eq!(json(&text, "()").as_deref(), Some(r#"{"t":null}"#));
    }

    #[test]
    fn what_is_no_row_of_these_fields_is_left_alone() {
        for literal in ["", "(", "1", "(1,2,3)", "(1,2,3,4,5)", r#"(1,"a,,)"#] {
            assert_eq!(json(&fields(), literal), None, "{literal}");
        }
        assert_eq!(json(&[], "(1)"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_json(literal in r#"\([(),"\\a1{}]{0,30}\)"#) {
            if let Some(text) = json(&fields(), &literal) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
