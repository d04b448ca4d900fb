//! Where the Deno binary is.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use common::Settings;

/// `DENO_BIN`, or the first of: `deno/bin/deno` in `DATA_DIR`, what `start.sh` has fetched, `PATH`.
/// Links are resolved: what is granted to the sandbox is the file itself.
pub(super) fn find(settings: &Settings<'_>) -> Option<PathBuf> {
    const NAME: &str = "DENO_BIN";
    let found = match settings.text(NAME) {
        Some(path) => Some(PathBuf::from(path)).filter(|path| is_program(path)),
        None => candidates(settings)
            .into_iter()
            .find(|path| is_program(path)),
    };
    let found = found.and_then(|path| path.canonicalize().ok());
    if found.is_none() {
        settings.reject(
            NAME,
            "names no Deno 2 program and none was found: run ./start.sh once, which fetches it, or set its path (a wrapper script will not do)",
        );
    }
    found
}

fn candidates(settings: &Settings<'_>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(data) = settings.text("DATA_DIR") {
        found.push(Path::new(&data).join("deno/bin/deno"));
    }
    let mut caches = vec![PathBuf::from("/var/cache/selfdb")];
    if let Some(cache) = settings.text("SELFDB_CACHE_DIR") {
        caches.insert(0, PathBuf::from(cache));
    }
    if let Some(home) = settings.text("HOME") {
        caches.push(Path::new(&home).join(".cache/selfdb"));
    }
    for cache in caches {
        found.extend(newest_first(&cache.join("deno")));
    }
    let path = settings.text("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path).map(|folder| folder.join("deno")));
    found
}

/// The `deno` of every version's folder in `folder`.
fn newest_first(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut versions: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version: Result<_, _> = name.split('.').map(str::parse).collect();
            Some((version.ok()?, entry.path().join("deno")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, path)| path).collect()
}

/// Whether `path` is a compiled program. npm puts a script of the same name on the `PATH`, which
/// needs Node and cannot run in the sandbox.
fn is_program(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"\x7fELF"
}
