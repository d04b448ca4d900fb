//! `config.toml` of the functions folder, as in Supabase's own: `[functions.<name>]` with
//! `verify_jwt`, `enabled` and `entrypoint`. Everything else in it is left alone, so that a
//! project's file can be copied here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{SourceError, io_error};
use crate::domain::code;

/// What the file says about one function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct FunctionConfig {
    /// Whether a caller must show a valid token; `None` leaves it to `FUNCTIONS_VERIFY_JWT`.
    pub(crate) verify_jwt: Option<bool>,
    /// `false` where it is not to serve.
    pub(crate) enabled: Option<bool>,
    /// The module to import, where that is not `<name>/index.ts`: relative to the folder the
    /// project's own file lies in, the one above `functions`.
    entrypoint: Option<String>,
    /// The `deno.json` or import map that counts, relative to the same folder.
    import_map: Option<String>,
    /// Patterns of files that are read by the function, relative to the same folder.
    #[serde(default)]
    static_files: Vec<String>,
}

impl FunctionConfig {
    /// The module to import, relative to the functions folder; the error where no function could
    /// have it.
    pub(super) fn entry(&self) -> Option<Result<PathBuf, SourceError>> {
        let text = self.entrypoint.as_deref()?;
        Some(below(text).ok_or_else(|| SourceError::Entry(text.to_owned())))
    }

    /// The import map, relative to the functions folder; the error where no function could have it.
    pub(super) fn import_map(&self) -> Option<Result<PathBuf, SourceError>> {
        let text = self.import_map.as_deref()?;
        Some(below(text).ok_or_else(|| SourceError::ImportMap(text.to_owned())))
    }

    /// What `static_files` names, relative to the functions folder: files, and of a pattern the
    /// folder that it looks through.
    pub(super) fn static_files(&self) -> impl Iterator<Item = PathBuf> {
        self.static_files.iter().filter_map(|pattern| {
            let plain = pattern.split(['*', '?', '[', '{']).next()?;
            let whole = plain.len() == pattern.len();
            let folder = plain.rsplit_once('/').map(|(folder, _)| folder);
            below(if whole { plain } else { folder? })
        })
    }
}

/// `text`, a path relative to the folder of the project's own file, relative to the functions
/// folder; `None` for what is not in that.
fn below(text: &str) -> Option<PathBuf> {
    let below = text.strip_prefix("./").unwrap_or(text);
    let below = below.strip_prefix("functions/").unwrap_or(below);
    code::path(below).ok()
}

#[derive(Default, Deserialize)]
struct ConfigFile {
    #[serde(default)]
    functions: BTreeMap<String, FunctionConfig>,
}

/// What `path` says about each function; nothing where it is not there.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, FunctionConfig>, SourceError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(io_error(path)(error)),
    };
    let file: ConfigFile =
        toml::from_str(&text).map_err(|error| SourceError::Toml(path.to_owned(), error))?;
    Ok(file.functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_own_config_file_can_be_used_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        assert_eq!(read(&path).expect("no file is fine").len(), 0);
        let text = "project_id = \"x\"\n[api]\nport = 54321\n\
            [functions.open]\nenabled = true\nverify_jwt = false\nentrypoint = \"./x.ts\"\n[functions.closed]\n";
        std::fs::write(&path, text).expect("written");
        let config = read(&path).expect("valid");
        assert_eq!(config["open"].verify_jwt, Some(false));
        assert_eq!(config["closed"].verify_jwt, None);
        assert_eq!(config["open"].enabled, Some(true));
        let entry = |text: &str| {
            let config = FunctionConfig {
                entrypoint: Some(text.to_owned()),
                ..FunctionConfig::default()
            };
            config.entry().expect("one").ok()
        };
        for text in [
            "./functions/a/main.js",
            "functions/a/main.js",
            "./a/main.js",
        ] {
            assert_eq!(entry(text), Some(PathBuf::from("a/main.js")), "{text}");
        }
        for text in ["../a.ts", "/etc/passwd", "./functions/../../a.ts", ""] {
            assert_eq!(entry(text), None, "{text}");
        }
        std::fs::write(&path, "[functions.open]\nverify_jwt = \"no\"").expect("written");
        assert!(matches!(read(&path), Err(SourceError::Toml(..))));
    }
}
