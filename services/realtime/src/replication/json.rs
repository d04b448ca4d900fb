//! Values in Postgres' text format as JSON, as `to_jsonb` writes them.

use serde::de::IgnoredAny;

use super::types::{Kind, Scalar};
use super::{array, composite};

/// Writes one value.
pub fn write_value(out: &mut Vec<u8>, kind: &Kind, text: &str) {
    let written = match kind {
        Kind::Scalar(scalar) => {
            write_scalar(out, *scalar, text);
            true
        }
        Kind::Array(element) => array::write(out, element, text),
        Kind::Composite(fields) => composite::write(out, fields, text),
    };
    if !written {
        write_string(out, text);
    }
}

/// Writes one value that is no array.
pub fn write_scalar(out: &mut Vec<u8>, scalar: Scalar, text: &str) {
    match (scalar, text) {
        (Scalar::Bool, "t") => out.extend_from_slice(b"true"),
        (Scalar::Bool, "f") => out.extend_from_slice(b"false"),
        (Scalar::Number, number) if is_number(number) => out.extend_from_slice(number.as_bytes()),
        (Scalar::Json, json) if is_json(json) => out.extend_from_slice(json.as_bytes()),
        (Scalar::Timestamp, text) => write_string(out, &text.replacen(' ', "T", 1)),
        (Scalar::TimestampTz, text) => {
            write_string(out, &with_minutes(&text.replacen(' ', "T", 1)));
        }
        (
            Scalar::Bool
            | Scalar::Number
            | Scalar::Json
            | Scalar::Uuid
            | Scalar::Padded
            | Scalar::Text,
            text,
        ) => {
            write_string(out, text);
        }
    }
}

/// Writes `text` as a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"null");
    }
}

/// Postgres writes whole hours of offset (`+00`); ISO 8601 in JSON has minutes too.
fn with_minutes(text: &str) -> String {
    let (stamp, era) = match text.strip_suffix(" BC") {
        Some(stamp) => (stamp, " BC"),
        None => (text, ""),
    };
    let short = stamp.len().checked_sub(3).and_then(|at| stamp.get(at..));
    let whole_hours = short.is_some_and(|offset| offset.starts_with(['+', '-']));
    let minutes = if whole_hours && stamp.contains('T') {
        ":00"
    } else {
        ""
    };
    format!("{stamp}{minutes}{era}")
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// JSON's grammar of numbers (RFC 8259, section 6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let no_padding = whole == "0" || !whole.starts_with('0');
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole) && no_padding && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(scalar: Scalar, text: &str) -> String {
        let mut out = Vec::new();
        write_scalar(&mut out, scalar, text);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn values_become_what_to_jsonb_makes_of_them() {
        for (scalar, text, expected) in [
            (Scalar::Bool, "t", "true"),
            (Scalar::Number, "-12.50", "-12.50"),
            (Scalar::Number, "1e+20", "1e+20"),
            (Scalar::Number, "NaN", "\"NaN\""),
            (Scalar::Number, "-Infinity", "\"-Infinity\""),
            (Scalar::Json, "{\"a\": [1]}", "{\"a\": [1]}"),
            (Scalar::Json, "{", "\"{\""),
            (
                Scalar::Timestamp,
                "2024-01-02 03:04:05.6",
                "\"2024-01-02T03:04:05.6\"",
            ),
            (
                Scalar::TimestampTz,
                "2024-01-02 03:04:05+00",
                "\"2024-01-02T03:04:05+00:00\"",
            ),
            (
                Scalar::TimestampTz,
                "2024-01-02 03:04:05+05:30",
                "\"2024-01-02T03:04:05+05:30\"",
            ),
            (
                Scalar::TimestampTz,
                "0044-03-15 00:00:00+00 BC",
                "\"0044-03-15T00:00:00+00:00 BC\"",
            ),
            (Scalar::TimestampTz, "infinity", "\"infinity\""),
            (Scalar::Text, "a\"b\u{1}", "\"a\\\"b\\u0001\""),
        ] {
            assert_eq!(json(scalar, text), expected, "{scalar:?} {text}");
        }
    }

    #[test]
    fn only_json_numbers_are_written_bare() {
        for text in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1_000"] {
            assert!(!is_number(text), "{text}");
        }
        for text in ["0", "-0", "10", "0.5", "1E5", "1e-5"] {
            assert!(is_number(text), "{text}");
        }
    }
}
