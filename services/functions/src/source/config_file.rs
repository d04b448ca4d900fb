//! `config.toml` of the functions folder, as in Supabase's own: `[functions.<name>]` with
//! `verify_jwt`. Everything else in it is left alone, so that a project's file can be copied here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{SourceError, io_error};

/// What the file says about one function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct FunctionConfig {
    /// Whether a caller must show a valid token; `None` leaves it to `FUNCTIONS_VERIFY_JWT`.
    pub(crate) verify_jwt: Option<bool>,
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
        std::fs::write(&path, "[functions.open]\nverify_jwt = \"no\"").expect("written");
        assert!(matches!(read(&path), Err(SourceError::Toml(..))));
    }
}
