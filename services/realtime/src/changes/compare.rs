//! Comparing a column's text with a filter's, as the column's type does. Numbers are compared
//! exactly; dates and times as moments in UTC; UUIDs however they are written; everything else byte by
//! byte.

mod like;
mod moment;
mod number;

use std::cmp::Ordering;

pub use like::like;
use uuid::Uuid;

use crate::replication::types::{Kind, Scalar};

/// How `left`, a column's value, compares to `right`; `None` where they cannot be compared.
pub fn compare(kind: &Kind, left: &str, right: &str) -> Option<Ordering> {
    match kind {
        Kind::Scalar(Scalar::Number) => number::compare(left, right),
        Kind::Scalar(Scalar::Bool) => Some(boolean(left)?.cmp(&boolean(right)?)),
        Kind::Scalar(Scalar::Timestamp | Scalar::TimestampTz) => {
            Some(moment::parse(left)?.cmp(&moment::parse(right)?))
        }
        Kind::Scalar(Scalar::Uuid) => {
            let uuid = |text| Uuid::parse_str(text).ok();
            Some(uuid(left)?.cmp(&uuid(right)?))
        }
        Kind::Scalar(Scalar::Padded) => {
            Some(left.trim_end_matches(' ').cmp(right.trim_end_matches(' ')))
        }
        Kind::Scalar(Scalar::Text | Scalar::Json) | Kind::Array(_) | Kind::Composite(_) => {
            Some(left.cmp(right))
        }
    }
}

/// Whether `value` can be compared with a column of this kind.
pub fn fits(kind: &Kind, value: &str) -> bool {
    compare(kind, value, value).is_some() || value == "null"
}

/// Postgres' words for true and false.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NUMBER: Kind = Kind::Scalar(Scalar::Number);

    #[test]
    fn numbers_are_compared_exactly() {
        for (left, right, expected) in [
            ("1", "1.000", Ordering::Equal),
            (
                "12345678901234567890.12",
                "12345678901234567890.13",
                Ordering::Less,
            ),
            ("-2", "-10", Ordering::Greater),
            ("1e3", "999.9", Ordering::Greater),
            ("0", "-0.00", Ordering::Equal),
            ("0.001", "0.01", Ordering::Less),
            ("NaN", "Infinity", Ordering::Greater),
            ("-Infinity", "-1e300", Ordering::Less),
        ] {
            assert_eq!(
                compare(&NUMBER, left, right),
                Some(expected),
                "{left} {right}"
            );
        }
        for text in ["", "x", "1.2.3", "--1", "1e", "0x10"] {
            assert_eq!(compare(&NUMBER, text, "1"), None, "{text}");
        }
    }

    #[test]
    fn moments_are_compared_in_utc() {
        let kind = Kind::Scalar(Scalar::TimestampTz);
        let same = |left, right| compare(&kind, left, right) == Some(Ordering::Equal);
        assert!(same("2024-01-02 03:04:05+00", "2024-01-02T04:04:05+01:00"));
        assert!(same("2024-01-02 00:00:00+00", "2024-01-02"));
        assert!(same("2024-01-02 03:04:05.5+00", "2024-01-02T03:04:05.500Z"));
        assert!(!fits(&kind, "yesterday"));
        for (left, right) in [
            ("-infinity", "0001-01-01"),
            ("9999-12-31", "Infinity"),
            ("-infinity", "infinity"),
        ] {
            assert_eq!(compare(&kind, left, right), Some(Ordering::Less));
        }
    }

    #[test]
    fn blanks_at_the_end_count_where_they_were_written() {
        let padded = Kind::Scalar(Scalar::Padded);
        assert_eq!(compare(&padded, "ab   ", "ab"), Some(Ordering::Equal));
        assert_eq!(compare(&padded, "ab   ", "abc"), Some(Ordering::Less));
        let text = Kind::Scalar(Scalar::Text);
        assert_eq!(compare(&text, "ab   ", "ab"), Some(Ordering::Greater));
    }

    #[test]
    fn uuids_are_compared_however_they_are_written() {
        let kind = Kind::Scalar(Scalar::Uuid);
        let written = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for other in [
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
        ] {
            assert_eq!(compare(&kind, written, other), Some(Ordering::Equal));
        }
        assert_eq!(
            compare(&kind, written, "f0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            Some(Ordering::Less)
        );
        assert!(!fits(&kind, "a0eebc99"));
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(left in any::<i64>(), right in any::<i64>()) {
            let compared = compare(&NUMBER, &left.to_string(), &right.to_string());
            prop_assert_eq!(compared, Some(left.cmp(&right)));
        }

        #[test]
        fn nothing_panics(left in ".{0,24}", right in ".{0,24}", pattern in "[%_a\\\\]{0,8}") {
            for scalar in [Scalar::Number, Scalar::Bool, Scalar::TimestampTz, Scalar::Text] {
                let _ = compare(&Kind::Scalar(scalar), &left, &right);
            }
            let _ = like(&left, &pattern, true);
        }

        #[test]
        fn a_pattern_of_anything_matches_anything(text in ".{0,12}") {
            prop_assert!(like(&text, "%", false));
            let pattern = format!("%{}%", text.replace('\\', "\\\\"));
            let within = format!("x{text}y");
            prop_assert!(like(&within, &pattern, false));
        }
    }
}
