//! Copies of functions, so that a version stays what it was whatever happens to the folder.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};
use sha2::{Digest as _, Sha256};

use super::tree::MAX_BYTES;
use super::{Found, SourceError, io_error};
use crate::domain::version::{CodeFolder, Secrets};
use crate::domain::{Version, VersionId};

/// Where copies are kept while they are in use.
#[derive(Debug)]
pub(crate) struct Snapshots {
    directory: PathBuf,
    next: AtomicU64,
}

impl Snapshots {
    /// Keeps copies in `directory`, which it creates.
    pub(crate) fn new(directory: PathBuf) -> Result<Self, SourceError> {
        fs::create_dir(&directory).map_err(io_error(&directory))?;
        Ok(Self {
            directory,
            next: AtomicU64::new(1),
        })
    }

    /// Copies what `found` lists in `source` and makes a version of it.
    pub(crate) fn take(
        &self,
        source: &Path,
        found: &Found,
        secrets: Arc<Secrets>,
    ) -> Result<Version, SourceError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let code = CodeFolder(self.directory.join(format!("{}-{number}", found.name)));
        fs::create_dir(&code.0).map_err(io_error(&code.0))?;
        let mut hash = Sha256::new();
        for relative in found.tree.paths() {
            let content = read_bounded(&source.join(relative))?;
            hash.update(relative.as_os_str().as_encoded_bytes());
            hash.update([0]);
            hash.update((content.len() as u64).to_be_bytes());
            hash.update(&content);
            write(&code.0.join(relative), &content)?;
        }
        Ok(Version {
            function: found.name.clone(),
            id: VersionId::new(&hash.finalize()),
            entry: found.entry.clone(),
            code,
            secrets,
        })
    }
}

/// The file may have grown, or become a link, since it was listed.
fn read_bounded(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut content = Vec::new();
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| io_error(path)(errno.into()))?;
    let file = fs::File::from(file);
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut content);
    if read.map_err(io_error(path))? as u64 > MAX_BYTES {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    Ok(content)
}

fn write(path: &Path, content: &[u8]) -> Result<(), SourceError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    fs::write(path, content).map_err(io_error(path))
}
