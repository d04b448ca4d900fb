//! Which functions a folder holds: `<name>.ts` and `<name>/index.ts`, or what `config.toml` names.
//! What begins with `_` is shared code: `_shared` belongs to every function.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::tree::Tree;
use super::{FunctionConfig, SourceError, io_error};
use crate::domain::FunctionName;

const SHARED: &str = "_shared";
/// What says beside an entry what its imports mean.
const CONFIGURATIONS: [&str; 3] = ["deno.json", "deno.jsonc", "import_map.json"];

/// A function in the folder.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The module to import, relative to the folder.
    pub(crate) entry: PathBuf,
    /// What `config.toml` says its imports mean, relative to the folder.
    pub(crate) import_map: Option<PathBuf>,
    /// Differs when a file of the function has changed.
    pub(crate) fingerprint: u64,
    pub(super) tree: Tree,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Each function on its own: one that cannot be used hides no other.
    pub(crate) functions: BTreeMap<FunctionName, Result<Found, SourceError>>,
    /// What would be functions but for their names.
    pub(crate) misnamed: Vec<SourceError>,
}

/// The functions in `directory`, as `config` has them. A folder that is not there has none.
pub(super) fn scan(
    directory: &Path,
    config: &BTreeMap<String, FunctionConfig>,
) -> Result<Scan, SourceError> {
    let mut shared = Tree::default();
    shared.add(directory, Path::new(SHARED))?;
    let mut scan = Scan::default();
    let mut entries = entries(directory)?;
    for (name, config) in config {
        match config.entry() {
            Some(Ok(entry)) if directory.join(&entry).is_file() => {
                entries.insert(name.clone(), entry);
            }
            Some(Err(error)) => scan.misnamed.push(error),
            Some(Ok(_)) | None => {}
        }
        if config.enabled == Some(false) {
            entries.remove(name);
        }
    }
    for (name, entry) in entries {
        let Some(name) = FunctionName::parse(&name) else {
            scan.misnamed.push(SourceError::Name(directory.join(entry)));
            continue;
        };
        let found = read(directory, entry, shared.clone(), config.get(name.as_str()));
        scan.functions.insert(name, found);
    }
    Ok(scan)
}

fn read(
    directory: &Path,
    entry: PathBuf,
    shared: Tree,
    config: Option<&FunctionConfig>,
) -> Result<Found, SourceError> {
    let mut tree = shared;
    let mut roots = vec![PathBuf::from(SHARED)];
    let mut add = |tree: &mut Tree, path: PathBuf| {
        let known = roots.iter().any(|root| path.starts_with(root));
        if !known {
            tree.add(directory, &path)?;
            roots.push(path);
        }
        Ok::<(), SourceError>(())
    };
    // A module in a folder has all of it: of `a/src/main.ts` that is `a`.
    let own = entry.iter().next().map_or(entry.as_path(), Path::new);
    add(&mut tree, own.to_owned())?;
    let import_map = config.and_then(FunctionConfig::import_map).transpose()?;
    // One map for all functions, as older projects have it.
    let common = Path::new("import_map.json");
    let own_map = CONFIGURATIONS.map(|name| entry.with_file_name(name));
    if let Some(path) = &import_map {
        add(&mut tree, path.clone())?;
    } else if !own_map.iter().any(|path| directory.join(path).is_file()) {
        add(&mut tree, common.to_owned())?;
    }
    for path in config.into_iter().flat_map(FunctionConfig::static_files) {
        add(&mut tree, path)?;
    }
    let mut hasher = DefaultHasher::new();
    tree.stamp(&mut hasher);
    import_map.hash(&mut hasher);
    Ok(Found {
        entry,
        import_map,
        fingerprint: hasher.finish(),
        tree,
    })
}

/// What looks like a function: its name, valid or not, and its entry module. Where a file and a
/// folder share a name, the folder is the function.
fn entries(directory: &Path) -> Result<BTreeMap<String, PathBuf>, SourceError> {
    let mut found = BTreeMap::new();
    let listing = match directory.read_dir() {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(SourceError::Io(directory.to_owned(), error)),
    };
    for entry in listing {
        let entry = entry.map_err(io_error(directory))?;
        let (Ok(file_name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
            continue;
        };
        if file_name.starts_with(['.', '_']) {
            continue;
        }
        let in_folder = Path::new(&file_name).join("index.ts");
        if kind.is_dir() && directory.join(&in_folder).is_file() {
            found.insert(file_name, in_folder);
        } else if kind.is_file()
            && let Some(name) = file_name.strip_suffix(".ts")
            // `hello.test.ts` and `types.d.ts` lie beside functions and are none.
            && !name.contains('.')
        {
            found
                .entry(name.to_owned())
                .or_insert_with(|| PathBuf::from(&file_name));
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

    fn found(folder: &Path) -> Vec<(FunctionName, Found)> {
        let scan = scan(folder, &BTreeMap::new()).expect("a folder");
        let found = scan.functions.into_iter();
        found
            .map(|(name, found)| (name, found.expect("usable")))
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
            .map(|(name, found)| {
                let files: Vec<_> = found
                    .tree
                    .paths()
                    .map(|path| path.display().to_string())
                    .collect();
                (name.to_string(), files.join(" "))
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
        assert_eq!(before[0].1.fingerprint, after[0].1.fingerprint);
        assert_ne!(before[1].1.fingerprint, after[1].1.fingerprint);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_functions() {
        let scan = scan(Path::new("/no/such/folder"), &BTreeMap::new()).expect("no mistake");
        assert!(scan.functions.is_empty());
    }

    #[test]
    fn what_is_no_function_only_by_its_name_is_told() {
        let folder = folder(&[
            "health.ts",
            "1st/index.ts",
            "good.ts",
            "good.test.ts",
            "t.d.ts",
        ]);
        let scan = scan(folder.path(), &BTreeMap::new()).expect("a folder");
        let told: Vec<_> = scan.misnamed.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(scan.functions.len(), 1);
    }
}
