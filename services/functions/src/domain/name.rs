//! A function's name: a file's in the functions folder, and the first segment of its URL.

use std::fmt;
use std::sync::Arc;

const MAX_LENGTH: usize = 100;

/// First segments of URLs that are the service's own.
const RESERVED: &[&str] = &["api", "health", "live", "metrics", "ready"];

/// A name of ASCII letters, digits, `-` and `_` that begins with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FunctionName(Arc<str>);

impl FunctionName {
    /// Reads a name; `None` where `text` can be no function's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
        let continues = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let fits = begins && continues && text.len() <= MAX_LENGTH && !RESERVED.contains(&text);
        fits.then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words_that_begin_with_a_letter() {
        for good in ["hello", "hello-supabase", "A1_b"] {
            assert!(FunctionName::parse(good).is_some(), "{good}");
        }
        let long = "a".repeat(101);
        let bad = [
            "", "_shared", "1st", "..", "a.b", "a/b", "a%2e", "é", "health", "api", &long,
        ];
        for bad in bad {
            assert!(FunctionName::parse(bad).is_none(), "{bad}");
        }
    }
}
