//! Single values.

use super::Unexpected;

/// What JSON makes of a value's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Boolean,
    Number,
    /// It is JSON.
    Json,
    Date,
    Timestamp,
    TimestampWithZone,
    String,
}

impl Scalar {
    pub(super) fn add(self, json: &mut Vec<u8>, text: &[u8]) -> Result<(), Unexpected> {
        match self {
            Self::Boolean => json.extend_from_slice(if text == b"t" { b"true" } else { b"false" }),
            // `NaN` and `Infinity` are no numbers of JSON.
            Self::Number if !text.last().is_some_and(u8::is_ascii_digit) => add_string(json, text),
            Self::Number | Self::Json => json.extend_from_slice(text),
            Self::Date => {
                if !is_infinite(text) {
                    check_date(text.strip_suffix(b" BC").unwrap_or(text))?;
                }
                add_string(json, text);
            }
            Self::Timestamp => add_timestamp(json, text, false)?,
            Self::TimestampWithZone => add_timestamp(json, text, true)?,
            Self::String => add_string(json, text),
        }
        Ok(())
    }
}

/// JSON has a `T` between date and time, and the minutes of the zone in every case.
fn add_timestamp(json: &mut Vec<u8>, text: &[u8], zoned: bool) -> Result<(), Unexpected> {
    if is_infinite(text) {
        add_string(json, text);
        return Ok(());
    }
    let space = text.iter().position(|byte| *byte == b' ');
    let (date, rest) = text
        .split_at_checked(space.ok_or(Unexpected)?)
        .ok_or(Unexpected)?;
    check_date(date)?;
    let time = rest.strip_prefix(b" ").ok_or(Unexpected)?;
    let (time, era) = match time.strip_suffix(b" BC") {
        Some(time) => (time, &b" BC"[..]),
        None => (time, &b""[..]),
    };
    json.push(b'"');
    json.extend_from_slice(date);
    json.push(b'T');
    json.extend_from_slice(time);
    if zoned {
        let sign = time.iter().rposition(|byte| matches!(byte, b'+' | b'-'));
        let zone = time.len() - sign.ok_or(Unexpected)?;
        if zone == "+00".len() {
            json.extend_from_slice(b":00");
        }
    }
    json.extend_from_slice(era);
    json.push(b'"');
    Ok(())
}

fn is_infinite(text: &[u8]) -> bool {
    matches!(text, b"infinity" | b"-infinity")
}

/// Refuses what was written by another `DateStyle` than ISO, which JSON always has.
fn check_date(date: &[u8]) -> Result<(), Unexpected> {
    let mut parts = date.split(|byte| *byte == b'-');
    let mut number = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next().ok_or(Unexpected)?;
        let known = digits.contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        known.then_some(()).ok_or(Unexpected)
    };
    number(4..=7)?;
    number(2..=2)?;
    number(2..=2)?;
    parts.next().is_none().then_some(()).ok_or(Unexpected)
}

/// Adds `text` in quotes, with the escapes of Postgres' `escape_json`.
pub(super) fn add_string(json: &mut Vec<u8>, text: &[u8]) {
    json.reserve(text.len() + 2);
    json.push(b'"');
    let mut rest = text;
    while let Some(position) = rest.iter().position(|byte| is_escaped(*byte)) {
        let (clear, after) = rest.split_at(position);
        json.extend_from_slice(clear);
        if let Some((byte, after)) = after.split_first() {
            add_escaped(json, *byte);
            rest = after;
        }
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn add_escaped(json: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let letter = match byte {
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        b'"' | b'\\' => byte,
        _ => {
            json.extend_from_slice(b"\\u00");
            for half in [byte >> 4, byte & 15] {
                json.extend(DIGITS.get(usize::from(half)));
            }
            return;
        }
    };
    json.extend_from_slice(&[b'\\', letter]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scalar: Scalar, text: &str) -> Result<String, Unexpected> {
        let mut json = Vec::new();
        scalar.add(&mut json, text.as_bytes())?;
        Ok(String::from_utf8(json).expect("UTF-8"))
    }

    #[test]
    fn dates_of_another_style_are_refused() {
        for text in ["12-17-1997", "17.12.1997", "12/17/1997", "Wed Dec 17"] {
            assert_eq!(written(Scalar::Date, text), Err(Unexpected), "{text}");
        }
        for text in ["12/17/1997 07:37:16 PST", "Wed Dec 17 07:37:16 1997 PST"] {
            let got = written(Scalar::TimestampWithZone, text);
            assert_eq!(got, Err(Unexpected), "{text}");
        }
    }

    #[test]
    fn strings_are_escaped_as_postgres_escapes_them() {
        let text = "a\u{1}\u{8}\t\n\u{c}\r\"\\/\u{7f}ä";
        let json = "\"a\\u0001\\b\\t\\n\\f\\r\\\"\\\\/\u{7f}ä\"";
        assert_eq!(written(Scalar::String, text).as_deref(), Ok(json));
    }
}
