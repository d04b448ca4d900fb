//! Copies of functions, so that a version stays what it was whatever happens to the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rustix::fs::{Mode, OFlags};

use super::{Found, SourceError, io_error};
use crate::domain::code::{Code, MAX_BYTES};
use crate::domain::version::{CodeFolder, Secrets};
use crate::domain::{FunctionName, Version};

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

    /// Writes `code` down and makes a version of it.
    pub(crate) fn make(
        &self,
        function: FunctionName,
        code: &Code,
        secrets: Arc<Secrets>,
    ) -> Result<Version, SourceError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = CodeFolder(self.directory.join(format!("{function}-{number}")));
        fs::create_dir(&folder.0).map_err(io_error(&folder.0))?;
        for (relative, content) in &code.files {
            write(&folder.0.join(relative), content)?;
        }
        Ok(Version {
            function,
            id: code.hash(),
            entry: code.entry.clone(),
            traits: code.traits(),
            code: Arc::new(folder),
            secrets,
            packages: Arc::default(),
        })
    }
}

/// Reads what `found` lists in `source`.
pub(crate) fn read(source: &Path, found: &Found) -> Result<Code, SourceError> {
    let mut files = BTreeMap::new();
    for relative in found.tree.paths() {
        let content = read_bounded(&source.join(relative))?;
        files.insert(relative.to_owned(), Bytes::from(content));
    }
    let code = Code {
        entry: found.entry.clone(),
        import_map: None,
        files,
    };
    Ok(match &found.import_map {
        Some(path) => code.with_import_map(path.clone()),
        None => code,
    })
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

/// Writes a file and makes the folders it lies in.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), SourceError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    fs::write(path, content).map_err(io_error(path))
}
