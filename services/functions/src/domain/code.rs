//! The files of a version, and what they hash to.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::version::{ConfigFile, Sign, Traits};
use super::{OwnLimits, VersionId};

/// The most files of one version.
pub(crate) const MAX_FILES: usize = 5_000;
/// The most bytes of them together.
pub(crate) const MAX_BYTES: u64 = 50 * 1024 * 1024;
const MAX_PATH_BYTES: usize = 500;

/// Files by their paths, relative to the version's root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Code {
    /// The module to import.
    pub(crate) entry: PathBuf,
    /// The `deno.json` or import map that counts, where that is not the nearest one.
    pub(crate) import_map: Option<PathBuf>,
    pub(crate) files: BTreeMap<PathBuf, Bytes>,
}

/// Why files cannot be a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeError {
    #[error(
        "{0:?} cannot be the path of a file: use one below the function, without dots at the beginning of a name"
    )]
    Path(String),
    #[error("there is no file {0}, which is to be the function's entry")]
    Entry(String),
    #[error("there is no file {0}, which is to be the function's import map")]
    ImportMap(String),
    #[error("a function has at most {MAX_FILES} files")]
    TooMany,
    #[error("the files of a function come to {} MiB at most", MAX_BYTES / (1024 * 1024))]
    TooLarge,
}

/// `text` as the path of a file of a function: relative, plain, nothing hidden.
pub(crate) fn path(text: &str) -> Result<PathBuf, CodeError> {
    let refused = || CodeError::Path(text.to_owned());
    let text = text.strip_prefix("./").unwrap_or(text);
    let plain = !text.is_empty() && text.len() <= MAX_PATH_BYTES && !text.contains('\\');
    let mut names = Path::new(text).components();
    let visible = names.all(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            !name.starts_with('.') && !name.chars().any(char::is_control)
        }
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            false
        }
    });
    if plain && visible && !text.ends_with('/') {
        Ok(PathBuf::from(text))
    } else {
        Err(refused())
    }
}

impl Code {
    /// With the `deno.json` or import map at `path`.
    pub(crate) fn with_import_map(mut self, path: PathBuf) -> Self {
        self.import_map = None;
        if self.config().as_ref().map(ConfigFile::path) != Some(&*path) {
            self.import_map = Some(path);
        }
        self
    }

    /// Refuses what cannot be a version.
    pub(crate) fn check(&self) -> Result<(), CodeError> {
        if self.files.len() > MAX_FILES {
            return Err(CodeError::TooMany);
        }
        let bytes: u64 = self.files.values().map(|file| file.len() as u64).sum();
        if bytes > MAX_BYTES {
            return Err(CodeError::TooLarge);
        }
        if !self.files.contains_key(&self.entry) {
            return Err(CodeError::Entry(self.entry.display().to_string()));
        }
        let mut named = self.import_map.iter();
        if let Some(missing) = named.find(|path| !self.files.contains_key(*path)) {
            return Err(CodeError::ImportMap(missing.display().to_string()));
        }
        Ok(())
    }

    /// The entry's text.
    pub(crate) fn entry_text(&self) -> String {
        let entry = self.files.get(&self.entry);
        entry.map_or_else(String::new, |text| {
            String::from_utf8_lossy(text).into_owned()
        })
    }

    /// What is seen of it without running it. A word in a comment is taken for the thing: what
    /// follows from that costs little.
    pub(crate) fn traits(&self) -> Traits {
        let mentions = |words: &[&str]| {
            self.files
                .iter()
                .filter(|(path, _)| is_source(path))
                .any(|(_, text)| words.iter().any(|word| contains(text, word.as_bytes())))
        };
        let signs: [(Sign, &[&str]); 4] = [
            (Sign::Packages, &["npm:", "jsr:", "https://", "http://"]),
            (Sign::Triggers, &["triggers"]),
            (Sign::Database, &["SUPABASE_DB_URL"]),
            (Sign::Server, &[".listen("]),
        ];
        let found = signs.into_iter().filter(|(_, words)| mentions(words));
        let config = self.config();
        let deno = match &config {
            Some(ConfigFile::Deno(path)) => Some(path.clone()),
            Some(ConfigFile::ImportMap(_)) | None => self.nearest(&["deno.json", "deno.jsonc"]),
        };
        let read = |path: PathBuf| Some(OwnLimits::read(&path, self.files.get(&path)?));
        let limits = deno.and_then(read);
        Traits {
            limits: limits.unwrap_or_else(|| Ok(OwnLimits::default())),
            config,
            signs: found.map(|(sign, _)| sign).collect(),
        }
    }

    /// The configuration that counts: the one that was named, else the nearest one.
    fn config(&self) -> Option<ConfigFile> {
        let nearest = || self.nearest(&["deno.json", "deno.jsonc", "import_map.json"]);
        self.import_map.clone().or_else(nearest).map(ConfigFile::at)
    }

    /// The first of `names` that lies beside the entry, or in a folder above it.
    fn nearest(&self, names: &[&str]) -> Option<PathBuf> {
        let mut folders = self.entry.ancestors().skip(1);
        folders.find_map(|folder| {
            let mut paths = names.iter().map(|name| folder.join(name));
            paths.find(|path| self.files.contains_key(path))
        })
    }

    /// What tells this code from any other.
    pub(crate) fn hash(&self) -> VersionId {
        let mut hash = Sha256::new();
        for (path, content) in &self.files {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update([0]);
            hash.update((content.len() as u64).to_be_bytes());
            hash.update(content);
        }
        if let Some(import_map) = &self.import_map {
            hash.update([0]);
            hash.update(import_map.as_os_str().as_encoded_bytes());
        }
        VersionId::new(&hash.finalize())
    }
}

/// Whether the file at `path` may import something, or say what is imported.
pub(crate) fn is_source(path: &Path) -> bool {
    const SOURCES: [&str; 8] = ["ts", "tsx", "js", "jsx", "mts", "mjs", "json", "jsonc"];
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| SOURCES.contains(&extension))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_function_and_show_themselves() {
        for good in ["index.ts", "./a/b.ts", "a b.txt", "ü.json"] {
            assert!(path(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a/",
            ".env",
            "a/.git/x",
            "a\\b",
            "a\nb",
            ".",
        ] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_import_map_that_is_named_counts_before_the_nearest_one() {
        let files = ["f/a/index.ts", "f/a/deno.json", "f/map.json"];
        let code = Code {
            entry: "f/a/index.ts".into(),
            files: files.map(|path| (path.into(), Bytes::new())).into(),
            ..Code::default()
        };
        let nearest = Some(ConfigFile::Deno("f/a/deno.json".into()));
        assert_eq!(code.traits().config, nearest);
        let same = code.clone().with_import_map("f/a/deno.json".into());
        assert_eq!(same, code, "the nearest one by its name is nothing new");
        let other = code.clone().with_import_map("f/map.json".into());
        let named = Some(ConfigFile::ImportMap("f/map.json".into()));
        assert_eq!(other.traits().config, named);
        assert_ne!(other.hash().as_str(), code.hash().as_str());
        let missing = code.with_import_map("f/none.json".into());
        let expected = CodeError::ImportMap("f/none.json".to_owned());
        assert_eq!(missing.check(), Err(expected));
    }

    #[test]
    fn the_hash_depends_on_paths_and_contents() {
        let code = |path: &str, text: &'static str| Code {
            entry: path.into(),
            files: BTreeMap::from([(path.into(), Bytes::from(text))]),
            ..Code::default()
        };
        assert_eq!(
            code("a", "b").hash().as_str(),
            code("a", "b").hash().as_str()
        );
        assert_ne!(
            code("a", "b").hash().as_str(),
            code("a", "c").hash().as_str()
        );
        assert_ne!(
            code("a", "b").hash().as_str(),
            code("b", "b").hash().as_str()
        );
        assert_eq!(
            Code {
                entry: "x".into(),
                ..code("a", "b")
            }
            .check(),
            Err(CodeError::Entry("x".to_owned()))
        );
    }
}
