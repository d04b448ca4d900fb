//! Durations as GoTrue's settings and requests write them: `1h30m`, `10s`, `300ms`.

use std::str::FromStr;
use std::time::Duration;

/// A duration in Go's notation. Never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoDuration(pub Duration);

/// A text that is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: use a form like 24h, 90m or 1h30m")]
pub struct DurationError;

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut rest = text;
        let mut total = Duration::ZERO;
        while !rest.is_empty() {
            let (number, after) = split_number(rest).ok_or(DurationError)?;
            let (unit, after) = split_unit(after).ok_or(DurationError)?;
            let seconds = number * unit;
            let part = Duration::try_from_secs_f64(seconds).map_err(|_| DurationError)?;
            total = total.checked_add(part).ok_or(DurationError)?;
            rest = after;
        }
        if text.is_empty() || total > MAX {
            return Err(DurationError);
        }
        Ok(Self(total))
    }
}

/// What Go's durations hold: about 292 years.
const MAX: Duration = Duration::from_nanos(i64::MAX as u64);

fn split_number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|character: char| !(character.is_ascii_digit() || character == '.'))
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, rest))
}

/// The unit in seconds.
fn split_unit(text: &str) -> Option<(f64, &str)> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("μs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
    ];
    UNITS
        .iter()
        .find_map(|(name, seconds)| Some((*seconds, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_read() {
        let cases = [
            ("24h", 86_400_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("10s", 10_000),
            ("300ms", 300),
            ("0", 0),
            ("876600h", 876_600 * 3_600_000),
        ];
        for (text, millis) in cases {
            let parsed: GoDuration = text.parse().expect(text);
            assert_eq!(parsed.0, Duration::from_millis(millis), "{text}");
        }
        for text in ["", "1", "h", "-1h", "1d", "1h 30m", "9999999999h", "1..5h"] {
            assert_eq!(text.parse::<GoDuration>(), Err(DurationError), "{text}");
        }
    }
}
