//! The files of a function, as they lie in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::error::BoxError;
use serde_json::{Value, json};

/// The code of one function: its entry, and files by their paths.
pub(super) struct Files {
    entry: String,
    contents: BTreeMap<String, Value>,
}

impl Files {
    /// Reads `<folder>/<name>.ts` or `<folder>/<name>/`, with `<folder>/_shared`. Links and hidden
    /// files are left out.
    pub(super) fn read(folder: &Path, name: &str) -> Result<Self, BoxError> {
        let mut files = BTreeMap::new();
        let own = folder.join(name);
        let single = folder.join(format!("{name}.ts"));
        let entry = if own.is_dir() {
            add(folder, Path::new(name), &mut files)?;
            let entries = ["index.ts", "index.tsx", "index.js", "index.mjs"];
            let entry = entries.iter().find(|entry| own.join(entry).is_file());
            let entry = entry.ok_or_else(|| format!("{} has no index.ts", own.display()))?;
            format!("{name}/{entry}")
        } else if single.is_file() {
            let entry = format!("{name}.ts");
            add(folder, Path::new(&entry), &mut files)?;
            entry
        } else {
            let (own, single) = (own.display(), single.display());
            return Err(format!("there is neither {own}/index.ts nor {single}").into());
        };
        add(folder, Path::new("_shared"), &mut files)?;
        Ok(Self {
            entry,
            contents: files,
        })
    }

    /// As the API takes them.
    pub(super) fn to_json(&self) -> Value {
        json!({ "entry": self.entry, "files": self.contents })
    }
}

/// The functions that lie in `folder`.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, BoxError> {
    let mut names = Vec::new();
    let entries = folder.read_dir();
    for entry in entries.map_err(|error| format!("{}: {error}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if name.starts_with(['.', '_']) {
            continue;
        }
        if kind.is_dir() && entry.path().join("index.ts").is_file() {
            names.push(name);
        } else if let Some(name) = name.strip_suffix(".ts")
            && kind.is_file()
            && !name.contains('.')
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn add(root: &Path, relative: &Path, files: &mut BTreeMap<String, Value>) -> Result<(), BoxError> {
    let mut pending: Vec<PathBuf> = vec![relative.to_owned()];
    while let Some(relative) = pending.pop() {
        let path = root.join(&relative);
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        if metadata.is_dir() {
            for entry in path.read_dir()? {
                let name = entry?.file_name();
                if !name.as_encoded_bytes().starts_with(b".") {
                    pending.push(relative.join(name));
                }
            }
        } else if metadata.is_file() {
            let content = fs::read(&path)?;
            let content = match String::from_utf8(content) {
                Ok(text) => json!(text),
                Err(bytes) => json!({ "base64": STANDARD.encode(bytes.as_bytes()) }),
            };
            files.insert(relative.to_string_lossy().into_owned(), content);
        }
    }
    Ok(())
}
