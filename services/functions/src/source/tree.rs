//! The files under a folder, as deployable: plain files, no links, nothing hidden.

use std::fs::Metadata;
use std::hash::{Hash as _, Hasher};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{SourceError, io_error};
use crate::domain::code::{MAX_BYTES, MAX_FILES};

/// Files by their paths relative to the functions folder, with what tells that one has changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    files: Vec<(PathBuf, Stamp)>,
    bytes: u64,
}

/// Changes with every write to a file, also one that keeps its size and restores its mtime.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Tree {
    /// Adds `relative` of the folder `root`: a file, or a folder with all that is in it. Links are
    /// passed over, as they could bring in any file of this machine; so is what begins with a dot.
    pub(super) fn add(&mut self, root: &Path, relative: &Path) -> Result<(), SourceError> {
        let mut pending = vec![relative.to_owned()];
        while let Some(relative) = pending.pop() {
            let path = root.join(&relative);
            let metadata = match path.symlink_metadata() {
                Ok(metadata) => metadata,
                // An editor's file that was there a moment ago.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(SourceError::Io(path, error)),
            };
            if metadata.is_file() {
                self.bytes += metadata.len();
                self.files.push((relative, Stamp::of(&metadata)));
                self.check(root)?;
            } else if metadata.is_dir() {
                for entry in path.read_dir().map_err(io_error(&path))? {
                    let name = entry.map_err(io_error(&path))?.file_name();
                    if !name.as_encoded_bytes().starts_with(b".") {
                        pending.push(relative.join(name));
                    }
                }
            }
        }
        self.files.sort_by(|one, two| one.0.cmp(&two.0));
        Ok(())
    }

    fn check(&self, root: &Path) -> Result<(), SourceError> {
        let place = || self.files.last().map_or(root, |(path, _)| path).to_owned();
        if self.files.len() > MAX_FILES {
            Err(SourceError::TooManyFiles(place()))
        } else if self.bytes > MAX_BYTES {
            Err(SourceError::TooLarge(place()))
        } else {
            Ok(())
        }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// Writes what tells this state of the files from any other into `hasher`.
    pub(super) fn stamp(&self, hasher: &mut impl Hasher) {
        self.files.hash(hasher);
    }
}
