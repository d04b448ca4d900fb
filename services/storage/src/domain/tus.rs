//! What TUS 1.0.0 says in headers: metadata and checksums.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The algorithms of checksums, as `Tus-Checksum-Algorithm` lists them.
pub const ALGORITHMS: &str = "sha1,sha256,md5";

/// A header that is not what TUS has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTusHeader {
    /// Not names with base64, or a name twice.
    #[error("Upload-Metadata cannot be read")]
    Metadata,
    /// Not an algorithm that is known and base64 of its length.
    #[error("Upload-Checksum cannot be read")]
    Checksum,
}

/// The names and values of `Upload-Metadata`.
pub fn metadata(header: &str) -> Result<BTreeMap<String, String>, InvalidTusHeader> {
    let mut values = BTreeMap::new();
    for pair in header
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (name, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
        let bytes = STANDARD
            .decode(encoded.trim())
            .map_err(|_| InvalidTusHeader::Metadata)?;
        let value = String::from_utf8(bytes).map_err(|_| InvalidTusHeader::Metadata)?;
        if values.insert(name.to_owned(), value).is_some() {
            return Err(InvalidTusHeader::Metadata);
        }
    }
    Ok(values)
}

/// What `cacheControl` holds: seconds, or nothing that is kept.
pub fn cache_control(value: Option<&str>) -> String {
    let seconds = value.and_then(|text| text.trim().parse::<u64>().ok());
    seconds.map_or_else(
        || "no-cache".to_owned(),
        |seconds| format!("max-age={seconds}"),
    )
}

/// A checksum to be, and the bytes' own so far.
pub struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Md5(Md5),
}

impl Checksum {
    /// What `Upload-Checksum` says: `sha1 base64`.
    pub fn parse(header: &str) -> Result<Self, InvalidTusHeader> {
        let invalid = InvalidTusHeader::Checksum;
        let (algorithm, encoded) = header.trim().split_once(' ').ok_or(invalid)?;
        let (hasher, length) = match algorithm {
            "sha1" => (Hasher::Sha1(Sha1::new()), 20),
            "sha256" => (Hasher::Sha256(Sha256::new()), 32),
            "md5" => (Hasher::Md5(Md5::new()), 16),
            _ => return Err(invalid),
        };
        let expected = STANDARD.decode(encoded.trim()).map_err(|_| invalid)?;
        if expected.len() != length {
            return Err(invalid);
        }
        Ok(Self { hasher, expected })
    }

    /// Takes `bytes` in.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Md5(hasher) => hasher.update(bytes),
        }
    }

    /// Whether the bytes are those that were meant.
    pub fn holds(self) -> bool {
        let found = match self.hasher {
            Hasher::Sha1(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha256(hasher) => hasher.finalize().to_vec(),
            Hasher::Md5(hasher) => hasher.finalize().to_vec(),
        };
        found == self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_names_with_base64() {
        let map = metadata("bucketName YXZhdGFycw==, objectName YS9iLnBuZw==,flag").expect("map");
        assert_eq!(map.get("bucketName").map(String::as_str), Some("avatars"));
        assert_eq!(map.get("objectName").map(String::as_str), Some("a/b.png"));
        assert_eq!(map.get("flag").map(String::as_str), Some(""));
        for header in ["a !!", "a YQ==,a YQ==", "a /w=="] {
            assert!(metadata(header).is_err(), "{header}");
        }
    }

    #[test]
    fn only_seconds_become_a_cache_control() {
        assert_eq!(cache_control(Some("3600")), "max-age=3600");
        assert_eq!(cache_control(Some("a, b")), "no-cache");
        assert_eq!(cache_control(None), "no-cache");
    }

    #[test]
    fn checksums_hold_or_do_not() {
        // Of "abc".
        let headers = [
            "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "md5 kAFQmDzST7DWlj99KOF/cg==",
            "sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ];
        for header in headers {
            for (bytes, holds) in [(b"abc", true), (b"abd", false)] {
                let mut checksum = Checksum::parse(header).expect(header);
                checksum.update(bytes);
                assert_eq!(checksum.holds(), holds, "{header}");
            }
        }
        for header in ["sha1", "crc32 AAAA", "sha1 AAAA", "sha1 !"] {
            assert!(Checksum::parse(header).is_err(), "{header}");
        }
    }
}
