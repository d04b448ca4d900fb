//! Sizes as people write them in bucket settings: `52428800`, `"50MB"`.

use serde::Deserialize;

/// A size limit as a client sends it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum SizeText {
    /// Bytes.
    Bytes(u64),
    /// A number and a decimal unit: `20GB`, `1.5MB`, `30KB`, `3B`.
    Text(String),
}

/// A size limit that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B")]
pub struct InvalidSize;

impl SizeText {
    /// The size in bytes; 1 KB is 1,000 of them.
    pub fn bytes(&self) -> Result<u64, InvalidSize> {
        match self {
            Self::Bytes(bytes) => Ok(*bytes),
            Self::Text(text) => parse(text),
        }
    }
}

fn parse(text: &str) -> Result<u64, InvalidSize> {
    let text = text.trim().to_ascii_uppercase();
    let units = [("GB", 9), ("MB", 6), ("KB", 3), ("B", 0)];
    let (number, exponent) = units
        .iter()
        .find_map(|(unit, exponent)| Some((text.strip_suffix(unit)?, *exponent)))
        .ok_or(InvalidSize)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > exponent {
        return Err(InvalidSize);
    }
    let padded = format!("{whole}{fraction:0<exponent$}");
    padded.parse().map_err(|_| InvalidSize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_decimal() {
        let table = [
            ("3B", 3),
            ("30KB", 30_000),
            ("1.5MB", 1_500_000),
            ("20gb", 20_000_000_000),
        ];
        for (text, bytes) in table {
            assert_eq!(SizeText::Text(text.to_owned()).bytes(), Ok(bytes), "{text}");
        }
        assert_eq!(SizeText::Bytes(7).bytes(), Ok(7));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "MB",
            "1",
            "-1MB",
            "1.5B",
            "1e3MB",
            "1.2.3MB",
            "99999999999GB",
        ] {
            let size = SizeText::Text(text.to_owned());
            assert_eq!(size.bytes(), Err(InvalidSize), "{text:?}");
        }
    }
}
