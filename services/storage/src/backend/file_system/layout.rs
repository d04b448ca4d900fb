//! Which file is where, and what makes it durable.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::backend::BackendError;
use crate::domain::object::Version;

/// The directories of one store.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(super) fn drafts(&self) -> PathBuf {
        self.root.join("drafts")
    }

    pub(super) fn draft(&self, version: Version) -> PathBuf {
        self.drafts().join(version.to_string())
    }

    pub(super) fn shard(&self, shard: u8) -> PathBuf {
        self.root.join("objects").join(format!("{shard:02x}"))
    }

    fn shard_of(&self, version: Version) -> PathBuf {
        let [first, ..] = version.0.into_bytes();
        self.shard(first)
    }

    pub(super) fn object(&self, version: Version) -> PathBuf {
        self.shard_of(version).join(version.to_string())
    }

    /// Makes every directory there will ever be, so that no upload has to.
    pub(super) fn prepare(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(self.drafts())?;
        for shard in u8::MIN..=u8::MAX {
            builder.create(self.shard(shard))?;
        }
        sync(&self.root.join("objects"))?;
        sync(&self.root)
    }

    /// Opens a new file that only we may read.
    pub(super) fn create_draft(&self, version: Version) -> io::Result<File> {
        private(&self.draft(version))
    }

    /// Gives a synchronised draft its place.
    pub(super) fn publish(&self, version: Version) -> io::Result<()> {
        std::fs::rename(self.draft(version), self.object(version))?;
        sync(&self.shard_of(version))
    }

    /// Gives the bytes of `from` a second name; where the file system has no links, copies them.
    pub(super) fn link(&self, from: Version, to: Version) -> Result<(), BackendError> {
        match std::fs::hard_link(self.object(from), self.object(to)) {
            Ok(()) => Ok(sync(&self.shard_of(to))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(BackendError::Missing(from))
            }
            Err(_) => Ok(self.duplicate(from, to)?),
        }
    }

    fn duplicate(&self, from: Version, to: Version) -> io::Result<()> {
        let copied = self
            .copy_into_draft(from, to)
            .and_then(|()| self.publish(to));
        if copied.is_err() {
            // What cannot be removed now is swept later.
            let _ = remove(&self.draft(to));
        }
        copied
    }

    fn copy_into_draft(&self, from: Version, to: Version) -> io::Result<()> {
        let mut source = File::open(self.object(from))?;
        let mut target = self.create_draft(to)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()
    }

    /// Writes whose store this is, or checks it.
    pub(super) fn claim(&self, installation: Uuid) -> Result<(), BackendError> {
        let path = self.root.join("installation");
        let found = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(self.write_claim(&path, installation)?);
            }
            found => found?,
        };
        if found.trim() == installation.to_string() {
            return Ok(());
        }
        Err(BackendError::Foreign {
            place: self.root.display().to_string(),
            found: found.trim().to_owned(),
            expected: installation,
        })
    }

    fn write_claim(&self, path: &Path, installation: Uuid) -> io::Result<()> {
        let draft = self.drafts().join("installation");
        remove(&draft)?;
        let mut file = private(&draft)?;
        writeln!(file, "{installation}")?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        sync(&self.root)
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Removes a file; one that is not there is fine.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
