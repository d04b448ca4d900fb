//! Phone numbers as accounts are known by.

use std::fmt;

/// A phone number in E.164 form without its `+`: 2 to 15 digits, the first not 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// A text that is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid phone number format (E.164 required)")]
pub struct PhoneError;

impl PhoneNumber {
    /// Reads a number; a leading `+` and spaces are dropped.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let trimmed = text.trim();
        let digits: String = trimmed
            .strip_prefix('+')
            .unwrap_or(trimmed)
            .chars()
            .filter(|character| *character != ' ')
            .collect();
        let valid = (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if valid {
            Ok(Self(digits))
        } else {
            Err(PhoneError)
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_e164() {
        for text in ["+49 30 1234567", "49301234567", " +49301234567 "] {
            let parsed = PhoneNumber::parse(text).expect("valid");
            assert_eq!(parsed.as_str(), "49301234567", "{text:?}");
        }
        for text in ["", "+", "+0301234567", "+4930123456789012", "49-30", "٤٩٣٠"] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneError), "{text:?}");
        }
    }
}
