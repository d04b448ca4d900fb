//! Which functions a folder holds: `<name>.ts` and `<name>/index.ts`. What begins with `_` is
//! shared code: `_shared` belongs to every function.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};

use super::tree::Tree;
use super::{SourceError, io_error};
use crate::domain::FunctionName;

const SHARED: &str = "_shared";

/// A function in the folder.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) name: FunctionName,
    /// The module to import, relative to the folder.
    pub(crate) entry: PathBuf,
    /// Differs when a file of the function has changed.
    pub(crate) fingerprint: u64,
    pub(super) tree: Tree,
}

/// The functions in `directory`, each on its own: one that cannot be used hides no other.
pub(super) fn scan(directory: &Path) -> Vec<Result<Found, SourceError>> {
    let entries = match entries(directory) {
        Ok(entries) => entries,
        Err(error) => return vec![Err(error)],
    };
    let mut shared = Tree::default();
    if let Err(error) = shared.add(directory, Path::new(SHARED)) {
        return vec![Err(error)];
    }
    entries
        .into_iter()
        .map(|(name, entry)| read(directory, name, entry, shared.clone()))
        .collect()
}

fn read(
    directory: &Path,
    name: FunctionName,
    entry: PathBuf,
    shared: Tree,
) -> Result<Found, SourceError> {
    let mut tree = shared;
    let own = entry
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    tree.add(directory, own.unwrap_or(&entry))?;
    let mut hasher = DefaultHasher::new();
    tree.stamp(&mut hasher);
    Ok(Found {
        name,
        entry,
        fingerprint: hasher.finish(),
        tree,
    })
}

/// Every function's name and entry module. Where a file and a folder share a name, the folder is
/// the function.
fn entries(directory: &Path) -> Result<BTreeMap<FunctionName, PathBuf>, SourceError> {
    let mut found = BTreeMap::new();
    let listing = match directory.read_dir() {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(SourceError::Io(directory.to_owned(), error)),
    };
    for entry in listing {
        let entry = entry.map_err(io_error(directory))?;
        let Ok(file_name) = entry.file_name().into_string() else {
            continue;
        };
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let in_folder = Path::new(&file_name).join("index.ts");
        if kind.is_dir() && directory.join(&in_folder).is_file() {
            if let Some(name) = FunctionName::parse(&file_name) {
                found.insert(name, in_folder);
            }
        } else if kind.is_file()
            && let Some(name) = file_name.strip_suffix(".ts").and_then(FunctionName::parse)
        {
            found.entry(name).or_insert_with(|| file_name.into());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "code").expect("a file");
        }
        folder
    }

    fn found(folder: &Path) -> Vec<Found> {
        scan(folder)
            .into_iter()
            .map(|found| found.expect("usable"))
            .collect()
    }

    #[test]
    fn both_formats_are_found_with_what_belongs_to_them_and_nothing_else() {
        let folder = folder(&[
            "a.ts",
            "b/index.ts",
            "b/deep/helper.ts",
            "b/.env",
            "_shared/cors.ts",
            "_other/index.ts",
            "no-index/main.ts",
            "both.ts",
            "both/index.ts",
            "README.md",
            ".env",
        ]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("b/link.ts")).expect("a link");
        std::os::unix::fs::symlink("/etc", folder.path().join("c")).expect("a link");
        let listed: Vec<_> = found(folder.path())
            .iter()
            .map(|found| {
                let files: Vec<_> = found
                    .tree
                    .paths()
                    .map(|path| path.display().to_string())
                    .collect();
                (found.name.to_string(), files.join(" "))
            })
            .collect();
        let expected = [
            ("a", "_shared/cors.ts a.ts"),
            ("b", "_shared/cors.ts b/deep/helper.ts b/index.ts"),
            ("both", "_shared/cors.ts both/index.ts"),
        ];
        assert_eq!(
            listed,
            expected.map(|(name, files)| (name.to_owned(), files.to_owned()))
        );
    }

    #[test]
    fn a_change_of_one_functions_file_changes_its_fingerprint_alone() {
        let folder = folder(&["a.ts", "b/index.ts", "b/helper.ts"]);
        let before = found(folder.path());
        fs::write(folder.path().join("b/helper.ts"), "CODE").expect("written");
        let after = found(folder.path());
        assert_eq!(before[0].fingerprint, after[0].fingerprint);
        assert_ne!(before[1].fingerprint, after[1].fingerprint);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_functions() {
        assert!(scan(Path::new("/no/such/folder")).is_empty());
    }
}
