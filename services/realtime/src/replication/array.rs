//! Postgres' array literals (`{1,2,NULL,"a b"}`, with bounds and nesting) as JSON arrays.

use super::json;
use super::types::Kind;

/// The most dimensions an array has in Postgres.
const MAX_DEPTH: usize = 6;

/// Writes the array `literal` to `out`. Answers false, with `out` as it was, where it is no array
/// literal.
pub fn write(out: &mut Vec<u8>, element: &Kind, literal: &str) -> bool {
    let start = out.len();
    let body = without_bounds(literal).as_bytes();
    let mut writer = Writer {
        out,
        element,
        rest: body,
    };
    if writer.array(1).is_some() && writer.rest.is_empty() {
        return true;
    }
    out.truncate(start);
    false
}

/// `[2:4]={1,2,3}` without its bounds.
fn without_bounds(literal: &str) -> &str {
    match literal.split_once('=') {
        Some((bounds, body)) if bounds.starts_with('[') => body,
        _ => literal,
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    element: &'a Kind,
    rest: &'a [u8],
}

impl Writer<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH || self.next()? != b'{' {
            return None;
        }
        self.out.push(b'[');
        if self.rest.first() == Some(&b'}') {
            self.rest = self.rest.get(1..)?;
            self.out.push(b']');
            return Some(());
        }
        loop {
            match self.rest.first()? {
                b'{' => self.array(depth + 1)?,
                b'"' => self.quoted()?,
                _ => self.bare()?,
            }
            match self.next()? {
                b',' => self.out.push(b','),
                b'}' => {
                    self.out.push(b']');
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn quoted(&mut self) -> Option<()> {
        self.next()?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => text.push(self.next()?),
                byte => text.push(byte),
            }
        }
        let text = String::from_utf8(text).ok()?;
        json::write_value(self.out, self.element, &text);
        Some(())
    }

    fn bare(&mut self) -> Option<()> {
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}'))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let text = std::str::from_utf8(text).ok()?;
        if text.is_empty() {
            return None;
        }
        if text == "NULL" {
            self.out.extend_from_slice(b"null");
        } else {
            json::write_value(self.out, self.element, text);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::types::Scalar;
    use super::*;

    fn json(element: Scalar, literal: &str) -> Option<String> {
        let mut out = Vec::new();
        write(&mut out, &Kind::Scalar(element), literal)
            .then(|| String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn literals_become_json() {
        for (element, literal, expected) in [
            (Scalar::Number, "{}", "[]"),
            (Scalar::Number, "{1,NULL,-3}", "[1,null,-3]"),
            (Scalar::Number, "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
            (Scalar::Number, "[0:1]={1,2}", "[1,2]"),
            (Scalar::Bool, "{t,f}", "[true,false]"),
            (
                Scalar::Text,
                r#"{a,"b c","q\"\\",NULL,"NULL",""}"#,
                r#"["a","b c","q\"\\",null,"NULL",""]"#,
            ),
            (Scalar::Text, "{a=b}", r#"["a=b"]"#),
            (
                Scalar::Json,
                r#"{"{\"a\": 1}","[1, 2]"}"#,
                r#"[{"a": 1},[1, 2]]"#,
            ),
            (
                Scalar::TimestampTz,
                r#"{"2024-01-02 03:04:05+00"}"#,
                r#"["2024-01-02T03:04:05+00:00"]"#,
            ),
        ] {
            assert_eq!(
                json(element, literal).as_deref(),
                Some(expected),
                "{literal}"
            );
        }
    }

    #[test]
    fn what_is_no_array_is_left_alone() {
        for literal in [
            "",
            "1",
            "{",
            "{1",
            "{1,}",
            "{1}x",
            "{{{{{{{1}}}}}}}",
            "{\"a",
        ] {
            let mut out = b"before".to_vec();
            assert!(
                !write(&mut out, &Kind::Scalar(Scalar::Number), literal),
                "{literal}"
            );
            assert_eq!(out, b"before");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_json(literal in r#"[\[\]0-9:=]{0,4}[{},"\\a-c1NUL ]{0,40}"#) {
            if let Some(text) = json(Scalar::Number, &literal) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
