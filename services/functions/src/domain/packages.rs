//! Files of packages, packed: what a version imports from registries, in parts that versions share.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::VersionId;

/// The most bytes of packages one version may have.
pub(crate) const MAX_BYTES: u64 = 200 * 1024 * 1024;

/// Packed files by part: each version of a package is one (`npm/<registry>/<name>/<version>`), and
/// everything else is the part with the empty name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts(pub(crate) BTreeMap<String, Vec<u8>>);

impl Parts {
    /// Packs a file under its path in Deno's cache. Files of one part come in one order, or hash to
    /// something else.
    pub(crate) fn add(&mut self, path: &str, content: &[u8]) {
        let part = self.0.entry(part_of(path).to_owned()).or_default();
        for field in [path.as_bytes(), content] {
            part.extend_from_slice(&(field.len() as u64).to_be_bytes());
            part.extend_from_slice(field);
        }
    }

    /// The parts' hashes, in hexadecimal digits.
    pub(crate) fn hashes(&self) -> BTreeMap<String, String> {
        let parts = self.0.iter();
        parts
            .map(|(name, content)| (name.clone(), hash(content)))
            .collect()
    }
}

/// The SHA-256 of a part, in hexadecimal digits.
pub(crate) fn hash(content: &[u8]) -> String {
    VersionId::new(&Sha256::digest(content)).as_str().to_owned()
}

/// What tells one set of parts from any other.
pub(crate) fn id(hashes: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = hashes
        .iter()
        .map(|(name, hash)| format!("{hash} {name}"))
        .collect();
    hash(lines.join("\n").as_bytes())
}

/// The files in a part; `None` where it is none.
pub(crate) fn unpack(mut part: &[u8]) -> Option<Vec<(PathBuf, &[u8])>> {
    let mut files = Vec::new();
    while !part.is_empty() {
        let (path, rest) = field(part)?;
        let (content, rest) = field(rest)?;
        let path = PathBuf::from(std::str::from_utf8(path).ok()?);
        let mut names = path.components();
        if !names.all(|name| matches!(name, Component::Normal(_))) {
            return None;
        }
        files.push((path, content));
        part = rest;
    }
    Some(files)
}

fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)
}

fn part_of(path: &str) -> &str {
    let mut names = path.split('/');
    let (kind, scoped) = (names.next(), names.nth(1));
    let depth = match (kind, scoped) {
        (Some("npm"), Some(name)) if name.starts_with('@') => 5,
        (Some("npm"), Some(_)) => 4,
        _ => return "",
    };
    // A file beside the versions is of none of them.
    let end = path.match_indices('/').nth(depth - 1);
    end.and_then(|(end, _)| path.get(..end)).unwrap_or("")
}

/// `registry`, a package's list of versions, without those that `lock` does not have: what is
/// resolved by it later is what was resolved when the lock was written.
pub(crate) fn trim_registry(registry: &[u8], lock: &serde_json::Value) -> Option<Vec<u8>> {
    let mut list: serde_json::Value = serde_json::from_slice(registry).ok()?;
    let name = list.get("name")?.as_str()?.to_owned();
    let locked = lock.get("npm")?.as_object()?;
    let wanted: Vec<&str> = locked
        .keys()
        .filter_map(|key| key.strip_prefix(&*name)?.strip_prefix('@'))
        // What follows are the versions of its peers.
        .filter_map(|version| version.split('_').next())
        .collect();
    for member in ["versions", "time"] {
        if let Some(versions) = list.get_mut(member).and_then(|each| each.as_object_mut()) {
            versions.retain(|version, _| wanted.contains(&version.as_str()));
        }
    }
    if let Some(tags) = list
        .get_mut("dist-tags")
        .and_then(|tags| tags.as_object_mut())
    {
        tags.retain(|_, version| version.as_str().is_some_and(|one| wanted.contains(&one)));
    }
    serde_json::to_vec(&list).ok()
}

/// Whether the file at `path` is a package's list of versions.
pub(crate) fn is_registry(path: &Path) -> bool {
    path.starts_with("npm") && path.file_name().is_some_and(|name| name == "registry.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_each_version_of_a_package_is_one_part() {
        let mut parts = Parts::default();
        for path in [
            "npm/registry.npmjs.org/a/1.0.0/index.js",
            "npm/registry.npmjs.org/a/1.0.0/lib/b.js",
            "npm/registry.npmjs.org/a/registry.json",
            "npm/registry.npmjs.org/@s/a/registry.json",
            "npm/registry.npmjs.org/@s/a/2.0.0/index.js",
            "remote/https/jsr.io/abc",
        ] {
            parts.add(path, path.as_bytes());
        }
        let files = |name: &str| unpack(&parts.0[name]).expect("a part").len();
        assert_eq!(files(""), 3);
        assert_eq!(files("npm/registry.npmjs.org/a/1.0.0"), 2);
        assert_eq!(files("npm/registry.npmjs.org/@s/a/2.0.0"), 1);
        assert_eq!(parts.0.len(), 3);
        let (path, content) = unpack(&parts.0[""]).expect("a part").remove(2);
        assert_eq!(path.as_os_str().as_encoded_bytes(), content);
    }

    #[test]
    fn nothing_is_unpacked_elsewhere() {
        for path in ["../a", "/etc/passwd", "npm/../../a"] {
            let mut parts = Parts::default();
            parts.add(path, b"x");
            assert_eq!(unpack(&parts.0[""]), None, "{path}");
        }
        assert_eq!(unpack(b"nonsense"), None);
        assert_eq!(unpack(&[0xff; 9]), None);
    }

    #[test]
    fn a_list_of_versions_keeps_those_that_were_chosen() {
        let registry = br#"{ "name": "@s/a", "dist-tags": { "latest": "2.0.0", "old": "1.0.0" },
            "versions": { "1.0.0": {}, "1.0.1": {}, "2.0.0": {} }, "time": { "1.0.0": "x", "2.0.0": "y" } }"#;
        let lock = serde_json::json!({ "npm": { "@s/a@1.0.0_peer@3.0.0": {}, "@s/ab@2.0.0": {} } });
        let trimmed = trim_registry(registry, &lock).expect("a list");
        let trimmed: serde_json::Value = serde_json::from_slice(&trimmed).expect("a list");
        let expected = serde_json::json!({ "name": "@s/a", "dist-tags": { "old": "1.0.0" },
            "versions": { "1.0.0": {} }, "time": { "1.0.0": "x" } });
        assert_eq!(trimmed, expected);
    }
}
