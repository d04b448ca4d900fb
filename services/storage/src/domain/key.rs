//! The names of objects and buckets: S3's safe characters and those that need encoding, as
//! Supabase takes them. Bytes on disk never derive from them; the rules keep names that other tools
//! would resolve, decode or mistake for each other out of the catalogue.

use std::fmt;

/// The longest object key, in bytes (S3's limit).
pub const MAX_KEY_BYTES: usize = 1024;
/// The longest bucket name, in bytes.
pub const MAX_BUCKET_BYTES: usize = 100;

/// An object's name within its bucket: `folder/cat.png`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

/// A name no object can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid key: {0}")]
pub struct InvalidKey(pub String);

impl ObjectKey {
    /// The key `text` says: 1 to 1,024 characters of `A-Za-z0-9_/!-.*'() &$@=;:+,?`, none of its
    /// segments `.` or `..`.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let fits = (1..=MAX_KEY_BYTES).contains(&text.len());
        let safe = text.bytes().all(|byte| byte == b'/' || is_safe(byte));
        if fits && safe && !text.split('/').any(is_relative) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKey(text.chars().take(MAX_KEY_BYTES).collect()))
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last slash.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Whether this is what consoles create to make an empty folder show: it holds no bytes.
    pub fn is_folder_placeholder(&self) -> bool {
        self.file_name() == ".emptyFolderPlaceholder"
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A bucket's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketId(String);

/// A name no bucket can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Bucket name invalid")]
pub struct InvalidBucketName;

impl BucketId {
    /// The bucket id `text` says: 1 to 100 of a key's characters without the slash, no space at
    /// either end, and neither `.` nor `..`.
    pub fn parse(text: &str) -> Result<Self, InvalidBucketName> {
        let fits = (1..=MAX_BUCKET_BYTES).contains(&text.len());
        let trimmed = !text.starts_with(' ') && !text.ends_with(' ');
        if fits && trimmed && text.bytes().all(is_safe) && !is_relative(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidBucketName)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_!-.*'() &$@=;:+,?".contains(&byte)
}

fn is_relative(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

/// `name` with every character that a key cannot hold replaced by `_`, no longer than `max_bytes`.
pub fn sanitised(name: &str, max_bytes: usize) -> String {
    let safe = |c: char| u8::try_from(c).is_ok_and(is_safe);
    let text: String = name
        .chars()
        .take(max_bytes)
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    if text.is_empty() || is_relative(&text) {
        "_".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_keys_are_taken_as_they_are() {
        for text in [
            "cat.png",
            "a/b/c d.tar.gz",
            "..a/b..",
            "x!-.*'() &$@=;:+,?_",
            "folder/",
        ] {
            assert_eq!(ObjectKey::parse(text).expect(text).as_str(), text);
        }
        assert_eq!(
            ObjectKey::parse("a/b.png").expect("key").file_name(),
            "b.png"
        );
    }

    #[test]
    fn keys_that_escape_or_deceive_are_refused() {
        let long = "k".repeat(MAX_KEY_BYTES + 1);
        for text in [
            "",
            "..",
            "../secret",
            "a/../../b",
            "a/./b",
            "a/..",
            "%2e%2e/secret",
            "a\\b",
            "nul\0",
            "tab\t",
            "new\nline",
            "del\u{7f}",
            "cyrіllic",
            "full．width",
            "one\u{2024}dot",
            "fraction\u{2215}slash",
            "zero\u{200b}width",
            &long,
        ] {
            assert!(ObjectKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn bucket_names_have_no_slash_and_no_end_of_space() {
        for text in ["avatars", "My Photos", "a.b-c_d"] {
            assert!(BucketId::parse(text).is_ok(), "{text}");
        }
        let long = "b".repeat(MAX_BUCKET_BYTES + 1);
        for text in ["", "a/b", " a", "a ", ".", "..", "a\\b", "bücket", &long] {
            assert_eq!(BucketId::parse(text), Err(InvalidBucketName), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_file_is_called_its_sanitised_name_is_a_key(name in ".*") {
            let text = sanitised(&name, 200);
            prop_assert!(ObjectKey::parse(&text).is_ok(), "{:?}", text);
            prop_assert!(!text.contains('/'));
        }
    }
}
