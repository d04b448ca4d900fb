//! Arrays: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.

use super::Unexpected;
use super::scalar::Scalar;

/// Adds the array that is written as `text`, whose elements are each `element`.
pub(super) fn add_array(
    json: &mut Vec<u8>,
    element: Scalar,
    text: &[u8],
) -> Result<(), Unexpected> {
    let mut rest = without_bounds(text)?;
    let mut depth = 0_usize;
    let mut quoted = Vec::new();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' => {
                depth += 1;
                json.push(b'[');
            }
            b'}' => {
                depth = depth.checked_sub(1).ok_or(Unexpected)?;
                json.push(b']');
            }
            b',' => json.push(b','),
            b'"' => {
                rest = unquote(after, &mut quoted)?;
                element.add(json, &quoted)?;
            }
            _ => {
                let end = after.iter().position(|byte| matches!(byte, b',' | b'}'));
                let (tail, after) = after
                    .split_at_checked(end.ok_or(Unexpected)?)
                    .ok_or(Unexpected)?;
                quoted.clear();
                quoted.push(*byte);
                quoted.extend_from_slice(tail);
                if quoted == b"NULL" {
                    json.extend_from_slice(b"null");
                } else {
                    element.add(json, &quoted)?;
                }
                rest = after;
            }
        }
    }
    if depth == 0 { Ok(()) } else { Err(Unexpected) }
}

/// `[0:1]={1,2}` as `{1,2}`: where an array begins to count is nothing to JSON.
fn without_bounds(text: &[u8]) -> Result<&[u8], Unexpected> {
    let begin = text.iter().position(|byte| *byte == b'{');
    text.get(begin.ok_or(Unexpected)?..).ok_or(Unexpected)
}

/// Fills `value` with what is before the closing quote, and answers what is after it.
fn unquote<'t>(text: &'t [u8], value: &mut Vec<u8>) -> Result<&'t [u8], Unexpected> {
    value.clear();
    let mut rest = text;
    loop {
        let (byte, after) = rest.split_first().ok_or(Unexpected)?;
        rest = after;
        match byte {
            b'"' => return Ok(rest),
            b'\\' => {
                let (escaped, after) = rest.split_first().ok_or(Unexpected)?;
                value.push(*escaped);
                rest = after;
            }
            _ => value.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(element: Scalar, text: &str) -> String {
        let mut json = Vec::new();
        add_array(&mut json, element, text.as_bytes()).expect("an array");
        String::from_utf8(json).expect("UTF-8")
    }

    #[test]
    fn arrays_are_lists() {
        for (element, text, json) in [
            (Scalar::Number, "{}", "[]"),
            (Scalar::Number, "{1,NULL,NaN}", "[1,null,\"NaN\"]"),
            (Scalar::Number, "[0:1][2:3]={{1,2},{3,4}}", "[[1,2],[3,4]]"),
            (
                Scalar::String,
                r#"{a,"b c","NULL","d\"\\e",""}"#,
                r#"["a","b c","NULL","d\"\\e",""]"#,
            ),
            (Scalar::Boolean, "{t,f}", "[true,false]"),
            (
                Scalar::Json,
                r#"{"{\"a\": [1, 2]}",1}"#,
                r#"[{"a": [1, 2]},1]"#,
            ),
        ] {
            assert_eq!(written(element, text), json, "{text}");
        }
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for text in ["", "x", "{", "{1", "}", "{\"a", "{\"a\\"] {
            let written = add_array(&mut Vec::new(), Scalar::String, text.as_bytes());
            assert_eq!(written, Err(Unexpected), "{text}");
        }
    }
}
