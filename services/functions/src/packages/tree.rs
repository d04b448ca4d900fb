//! One set of packages on disk, laid out like Deno's cache. It never changes.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use common::BoxError;

use super::TooLarge;
use crate::domain::packages::{MAX_BYTES, Parts, id, is_registry, trim_registry, unpack};

/// The folders of Deno's cache that hold packages and modules.
const KINDS: [&str; 2] = ["npm", "remote"];

/// Tells what is being written from what else is.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A set of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    path: PathBuf,
}

impl Tree {
    /// The set `id`, where it lies in `directory`.
    pub(super) fn at(directory: &Path, id: &str) -> Option<Self> {
        let path = directory.join("trees").join(id);
        path.is_dir().then_some(Self { path })
    }

    /// Writes `parts` down in `directory`, where they do not lie there yet. The tree appears in one
    /// step.
    pub(super) fn plant(directory: &Path, parts: &Parts) -> Result<Self, BoxError> {
        let id = id(&parts.hashes());
        if let Some(there) = Self::at(directory, &id) {
            return Ok(there);
        }
        let trees = directory.join("trees");
        make_folder(&trees)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let draft = trees.join(format!(".new-{}-{number}", std::process::id()));
        make_folder(&draft)?;
        let path = trees.join(id);
        let planted = write_all(&draft, parts).and_then(|()| Ok(fs::rename(&draft, &path)?));
        if planted.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
        // Another start may have written the same.
        if !path.is_dir() {
            planted?;
        }
        Ok(Self { path })
    }

    /// Its folders, as Deno's cache names them.
    pub(crate) fn folders(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let folders = KINDS.map(|kind| (kind, self.path.join(kind)));
        folders.into_iter().filter(|(_, path)| path.is_dir())
    }

    /// Its files, packed.
    pub(crate) async fn parts(&self) -> Result<Parts, BoxError> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || read(&path, None)).await?
    }
}

/// Packs what lies in `cache`; with `lock`, lists of versions hold what was chosen alone.
pub(super) fn read(cache: &Path, lock: Option<&serde_json::Value>) -> Result<Parts, BoxError> {
    let mut files = Vec::new();
    let mut pending: Vec<PathBuf> = KINDS.iter().map(PathBuf::from).collect();
    while let Some(relative) = pending.pop() {
        let folder = cache.join(&relative);
        if !folder.is_dir() {
            continue;
        }
        for entry in folder.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let path = relative.join(entry.file_name());
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut parts = Parts::default();
    let mut bytes = 0;
    for path in files {
        let mut content = fs::read(cache.join(&path))?;
        if is_registry(&path)
            && let Some(trimmed) = lock.and_then(|lock| trim_registry(&content, lock))
        {
            content = trimmed;
        }
        bytes += content.len() as u64;
        if bytes > MAX_BYTES {
            return Err(TooLarge.into());
        }
        let name = path.to_str().ok_or("a file of a package is misnamed")?;
        parts.add(name, &content);
    }
    Ok(parts)
}

/// What was chosen; `None` where nothing of npm was.
pub(super) fn read_lock(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write_all(root: &Path, parts: &Parts) -> Result<(), BoxError> {
    for part in parts.0.values() {
        let files = unpack(part).ok_or("a package cannot be unpacked")?;
        for (path, content) in files {
            write(root, &path, content)?;
        }
    }
    Ok(())
}

fn write(root: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut folder = root.to_owned();
    for name in path.parent().into_iter().flat_map(Path::components) {
        folder.push(name);
        make_folder(&folder)?;
    }
    let path = root.join(path);
    fs::write(&path, content)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
}

/// Makes a folder that everyone may read, whatever the umask is.
fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Ok(()) => fs::set_permissions(path, fs::Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
