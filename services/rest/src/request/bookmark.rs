//! The cursor of `after=`: where in an order of rows a page ended. Clients hand it back as it is.
//! It says nothing that a filter could not say, so it needs no secret: the digest in it tells
//! cursors that were cut or made up from those of this service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The longest cursor, in characters of its text.
pub(crate) const LONGEST: usize = 4096;
const DIGEST_BYTES: usize = 8;

/// The values of a row in the terms of an order; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bookmark {
    /// What the order is of, and its terms.
    pub order: String,
    /// In Postgres' text format.
    pub values: Vec<Option<String>>,
}

/// Whether the value of a parameter `after` is a cursor, and no filter of a column of that name:
/// filters have a dot.
pub(crate) fn is_bookmark(value: &str) -> bool {
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    value.bytes().all(in_alphabet)
}

impl Bookmark {
    /// Its text; `None` where that would be too long to be handed around.
    pub(crate) fn encode(&self) -> Option<String> {
        let content = serde_json::json!([self.order, self.values]).to_string();
        let mut bytes = digest(content.as_bytes());
        bytes.extend_from_slice(content.as_bytes());
        let text = URL_SAFE_NO_PAD.encode(bytes);
        (text.len() <= LONGEST).then_some(text)
    }

    /// Reads a text; `None` where no service wrote it.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (digested, content) = bytes.split_at_checked(DIGEST_BYTES)?;
        if digest(content) != digested {
            return None;
        }
        let (order, values) = serde_json::from_slice(content).ok()?;
        Some(Self { order, values })
    }
}

fn digest(content: &[u8]) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix("bookmark 1");
    digest.update(content);
    let mut bytes = digest.finalize().to_vec();
    bytes.truncate(DIGEST_BYTES);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_reads_back_and_no_other_text_does() {
        let bookmark = Bookmark {
            order: "public.t a".to_owned(),
            values: vec![Some("ä\"".to_owned()), None],
        };
        let text = bookmark.encode().expect("a text");
        assert!(is_bookmark(&text));
        assert_eq!(Bookmark::decode(&text), Some(bookmark));
        for (at, _) in text.char_indices() {
            let mut bent = text.clone();
            let other = if bent.as_bytes()[at] == b'A' {
                "B"
            } else {
                "A"
            };
            bent.replace_range(at..=at, other);
            assert_eq!(Bookmark::decode(&bent), None, "{bent}");
            assert_eq!(Bookmark::decode(text.get(..at).expect("a part")), None);
        }
    }

    #[test]
    fn a_bookmark_has_an_end() {
        let bookmark = Bookmark {
            order: String::new(),
            values: vec![Some("x".repeat(LONGEST))],
        };
        assert_eq!(bookmark.encode(), None);
        assert_eq!(Bookmark::decode(&"A".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn filters_are_no_bookmarks() {
        assert!(is_bookmark(""));
        for filter in ["eq.1", "not.is.null", "gt(any).{1}", "a b"] {
            assert!(!is_bookmark(filter));
        }
    }
}
