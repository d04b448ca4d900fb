//! The code in a request: one module, or files by their paths.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::domain::FunctionName;
use crate::domain::code::{self, Code};
use crate::error::ApiError;

/// `code` is the entry's text; `files` are others beside it, or all of them with `entry` naming
/// one. `import_map` names the `deno.json` or import map that counts, where it is not the nearest.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Files {
    code: Option<String>,
    entry: Option<String>,
    import_map: Option<String>,
    #[serde(rename = "files")]
    others: Option<BTreeMap<String, FileContent>>,
}

/// Text, or bytes as `{"base64": "…"}`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FileContent {
    Text(String),
    Encoded { base64: String },
}

impl Files {
    pub(crate) fn is_empty(&self) -> bool {
        self.code.is_none()
            && self.others.is_none()
            && self.entry.is_none()
            && self.import_map.is_none()
    }

    /// The code that is meant, of a new function or over that of `before`.
    pub(crate) fn into_code(
        self,
        name: &FunctionName,
        before: Option<Code>,
    ) -> Result<Code, ApiError> {
        let entry = match (&self.entry, &before) {
            (Some(entry), _) => code::path(entry)?,
            (None, Some(before)) => before.entry.clone(),
            (None, None) => PathBuf::from(format!("{name}/index.ts")),
        };
        let import_map = match (&self.import_map, &before) {
            (Some(path), _) => Some(code::path(path)?),
            (None, Some(before)) if self.others.is_none() => before.import_map.clone(),
            (None, _) => None,
        };
        let mut files = match self.others {
            Some(files) => read(files)?,
            None => before.map(|before| before.files).unwrap_or_default(),
        };
        if let Some(text) = self.code {
            files.insert(entry.clone(), Bytes::from(text));
        }
        let mut code = Code {
            entry,
            import_map: None,
            files,
        };
        if let Some(path) = import_map {
            code = code.with_import_map(path);
        }
        code.check()?;
        Ok(code)
    }
}

fn read(files: BTreeMap<String, FileContent>) -> Result<BTreeMap<PathBuf, Bytes>, ApiError> {
    let mut read = BTreeMap::new();
    for (path, content) in files {
        let content = match content {
            FileContent::Text(text) => Bytes::from(text),
            FileContent::Encoded { base64 } => {
                let bytes = STANDARD.decode(base64);
                let refused = |_| ApiError::Invalid(format!("{path} is not valid base64"));
                Bytes::from(bytes.map_err(refused)?)
            }
        };
        read.insert(code::path(&path)?, content);
    }
    Ok(read)
}
