//! Comparing a column's text with a filter's, as the column's type does. Numbers are compared
//! exactly; dates and times as moments in UTC; everything else byte by byte.

use std::cmp::Ordering;

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::replication::types::{Kind, Scalar};

/// How `left`, a column's value, compares to `right`; `None` where they cannot be compared.
pub fn compare(kind: Kind, left: &str, right: &str) -> Option<Ordering> {
    match kind {
        Kind::Scalar(Scalar::Number) => compare_numbers(left, right),
        Kind::Scalar(Scalar::Bool) => Some(boolean(left)?.cmp(&boolean(right)?)),
        Kind::Scalar(Scalar::Timestamp | Scalar::TimestampTz) => {
            Some(moment(left)?.cmp(&moment(right)?))
        }
        Kind::Scalar(Scalar::Text | Scalar::Json) | Kind::Array(_) => Some(left.cmp(right)),
    }
}

/// Whether `value` can be compared with a column of this kind.
pub fn fits(kind: Kind, value: &str) -> bool {
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

/// Whether `text` matches `pattern`: `%` is any text, `_` any character, `\` takes the next one
/// as it is.
pub fn like(text: &str, pattern: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| -> Vec<char> {
        if ignore_case {
            text.to_lowercase().chars().collect()
        } else {
            text.chars().collect()
        }
    };
    let (text, pattern) = (fold(text), tokens(&fold(pattern)));
    // One place to return to is enough: a later `%` makes an earlier one's choice irrelevant.
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(next), text.get(at)) {
            (Some(Token::Any), _) => {
                retry = Some((next + 1, at));
                next += 1;
            }
            (Some(Token::One), Some(_)) => (at, next) = (at + 1, next + 1),
            (Some(Token::Is(expected)), Some(found)) if expected == found => {
                (at, next) = (at + 1, next + 1);
            }
            (None, None) => return true,
            _ => match retry {
                Some((after, from)) if from < text.len() => {
                    retry = Some((after, from + 1));
                    (at, next) = (from + 1, after);
                }
                _ => return false,
            },
        }
    }
}

enum Token {
    Any,
    One,
    Is(char),
}

fn tokens(pattern: &[char]) -> Vec<Token> {
    let mut characters = pattern.iter().copied();
    let mut tokens = Vec::with_capacity(pattern.len());
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '%' => Token::Any,
            '_' => Token::One,
            '\\' => Token::Is(characters.next().unwrap_or('\\')),
            other => Token::Is(other),
        });
    }
    tokens
}

/// A number as Postgres writes it, exactly: class, sign, and digits without padding.
enum Number {
    NegativeInfinity,
    Finite {
        negative: bool,
        point: i64,
        digits: Vec<u8>,
    },
    Infinity,
    Nan,
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "nan" => Some(Self::Nan),
            "infinity" | "inf" | "+infinity" | "+inf" => Some(Self::Infinity),
            "-infinity" | "-inf" => Some(Self::NegativeInfinity),
            finite => Self::finite(finite),
        }
    }

    fn finite(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let padding = digits.iter().take_while(|digit| **digit == b'0').count();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(padding).ok()?;
        digits.drain(..padding);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let zero = digits.is_empty();
        Some(Self::Finite {
            negative: negative && !zero,
            point: if zero {
                i64::MIN
            } else {
                point + i64::from(exponent)
            },
            digits,
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::NegativeInfinity => 0,
            Self::Finite { .. } => 1,
            Self::Infinity => 2,
            Self::Nan => 3,
        }
    }
}

fn compare_numbers(left: &str, right: &str) -> Option<Ordering> {
    match (Number::parse(left)?, Number::parse(right)?) {
        (
            Number::Finite {
                negative,
                point,
                digits,
            },
            Number::Finite {
                negative: other,
                point: other_point,
                digits: other_digits,
            },
        ) => {
            let size = point
                .cmp(&other_point)
                .then_with(|| digits.cmp(&other_digits));
            Some(match (negative, other) {
                (false, false) => size,
                (true, true) => size.reverse(),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
            })
        }
        (left, right) => Some(left.rank().cmp(&right.rank())),
    }
}

/// A date, with a time and an offset or without, as a moment; without an offset it is UTC.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let (date, rest) = match text.split_once([' ', 'T', 't']) {
        Some((date, rest)) => (date, rest),
        None => (text, ""),
    };
    let mut parts = date.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let (time, offset) = match rest.find(['+', '-', 'Z', 'z']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, ""),
    };
    Some(
        date.with_time(time_of_day(time)?)
            .assume_offset(offset_of(offset)?),
    )
}

fn time_of_day(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::MIDNIGHT);
    }
    let mut parts = text.splitn(3, ':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanosecond = format!("{fraction:0<9}").parse().ok()?;
    Time::from_hms_nano(hour, minute, second.parse().ok()?, nanosecond).ok()
}

fn offset_of(text: &str) -> Option<UtcOffset> {
    let (sign, digits) = match text.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => return Some(UtcOffset::UTC),
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        Some(_) => return None,
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours: i8 = hours.parse().ok()?;
    let minutes: i8 = if minutes.is_empty() {
        0
    } else {
        minutes.parse().ok()?
    };
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
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
                compare(NUMBER, left, right),
                Some(expected),
                "{left} {right}"
            );
        }
        for text in ["", "x", "1.2.3", "--1", "1e", "0x10"] {
            assert_eq!(compare(NUMBER, text, "1"), None, "{text}");
        }
    }

    #[test]
    fn moments_are_compared_in_utc() {
        let kind = Kind::Scalar(Scalar::TimestampTz);
        let same = |left, right| compare(kind, left, right) == Some(Ordering::Equal);
        assert!(same("2024-01-02 03:04:05+00", "2024-01-02T04:04:05+01:00"));
        assert!(same("2024-01-02 00:00:00+00", "2024-01-02"));
        assert!(same("2024-01-02 03:04:05.5+00", "2024-01-02T03:04:05.500Z"));
        assert!(!fits(kind, "yesterday"));
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(left in any::<i64>(), right in any::<i64>()) {
            let compared = compare(NUMBER, &left.to_string(), &right.to_string());
            prop_assert_eq!(compared, Some(left.cmp(&right)));
        }

        #[test]
        fn nothing_panics(left in ".{0,24}", right in ".{0,24}", pattern in "[%_a\\\\]{0,8}") {
            for scalar in [Scalar::Number, Scalar::Bool, Scalar::TimestampTz, Scalar::Text] {
                let _ = compare(Kind::Scalar(scalar), &left, &right);
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
