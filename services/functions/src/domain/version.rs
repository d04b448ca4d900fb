//! One state of a function's code and secrets. It never changes: another state is another version.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use common::Secret;

use super::egress::Egress;
use crate::packages::Tree;

use super::{FunctionName, Limits, OwnLimits};

/// What a version's files hash to: 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct VersionId(Arc<str>);

impl VersionId {
    pub(crate) fn new(digest: &[u8]) -> Self {
        let mut hex = String::with_capacity(digest.len() * 2);
        for byte in digest {
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VersionId {
    /// The first twelve digits: enough for a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The user's secrets by name: what the env file of the functions folder holds.
#[derive(Debug, Default)]
pub(crate) struct Secrets(pub(crate) BTreeMap<String, Secret>);

impl Secrets {
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(one, two)| one.0 == two.0 && one.1.matches(two.1.expose()))
    }
}

/// A folder with the code of one version, removed with the last reference to it.
#[derive(Debug)]
pub(crate) struct CodeFolder(pub(crate) PathBuf);

impl Drop for CodeFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(folder = %self.0.display(), %error, "a version's code stays behind");
        }
    }
}

/// A version of a function.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) function: FunctionName,
    pub(crate) id: VersionId,
    /// The module to import, relative to `code`: `hello.ts` or `hello/index.ts`.
    pub(crate) entry: PathBuf,
    pub(crate) traits: Traits,
    /// A copy of the function's own files and of `_shared`; nobody writes to it.
    pub(crate) code: Arc<CodeFolder>,
    pub(crate) secrets: Arc<Secrets>,
    /// What it imports from registries, once that is known and is something.
    pub(crate) packages: Arc<OnceLock<Arc<Tree>>>,
}

/// What is seen of code without running it, and decides how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Its `deno.json`, or an import map beside it: a process has to be started for it alone.
    pub(crate) config: Option<ConfigFile>,
    pub(crate) signs: BTreeSet<Sign>,
    /// What its `deno.json` says of limits; the error where that cannot be read.
    pub(crate) limits: Result<OwnLimits, String>,
}

impl Default for Traits {
    fn default() -> Self {
        Self {
            config: None,
            signs: BTreeSet::new(),
            limits: Ok(OwnLimits::default()),
        }
    }
}

/// What code may want, by the words in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// Something in it may be imported from a registry.
    Packages,
    /// It may say when it wants to be called.
    Triggers,
    /// It may connect to the database.
    Database,
    /// It may have a server of Node's listen.
    Server,
}

impl Traits {
    /// Its limits; those of `all` where it says nothing that can be read.
    pub(crate) fn limits(&self, all: Limits) -> Limits {
        self.limits.as_ref().map_or(all, |own| own.over(all))
    }

    /// Whom it may connect to, where it says so.
    pub(crate) fn egress(&self) -> Option<&Egress> {
        self.limits.as_ref().ok().and_then(OwnLimits::egress)
    }

    pub(crate) fn show(&self, sign: Sign) -> bool {
        self.signs.contains(&sign)
    }
}

/// A file that Deno reads when it starts, relative to the version's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConfigFile {
    Deno(PathBuf),
    ImportMap(PathBuf),
}

impl ConfigFile {
    /// What the file at `path` is, by its name.
    pub(super) fn at(path: PathBuf) -> Self {
        let name = path.file_name().and_then(|name| name.to_str());
        if matches!(name, Some("deno.json" | "deno.jsonc")) {
            Self::Deno(path)
        } else {
            Self::ImportMap(path)
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Deno(path) | Self::ImportMap(path) => path,
        }
    }
}

impl Version {
    /// The same code with other secrets.
    pub(crate) fn with_secrets(&self, secrets: Arc<Secrets>) -> Self {
        Self {
            function: self.function.clone(),
            id: self.id.clone(),
            entry: self.entry.clone(),
            traits: self.traits.clone(),
            code: Arc::clone(&self.code),
            secrets,
            packages: Arc::clone(&self.packages),
        }
    }

    /// Whether both would behave the same.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.id == other.id && self.entry == other.entry && self.secrets.is_same_as(&other.secrets)
    }
}
