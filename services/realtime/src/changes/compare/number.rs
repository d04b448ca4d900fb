//! Numbers in Postgres' text format, compared exactly.

use std::cmp::Ordering;

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

/// How two numbers compare; `None` where one is no number.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
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
