//! The folder of one process: `code`, which it reads, and `work`, which is its own.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use super::run_directory::make_folder;
use super::specifiers;
use crate::domain::code::is_source;
use crate::packages::Tree;
use crate::sandbox::UserIdentity;

/// The folder, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SlotFolder(PathBuf);

impl SlotFolder {
    /// Makes the folder at `path`; `user` is whom the process runs as, where that is another.
    pub(super) fn create(path: PathBuf, user: Option<UserIdentity>) -> io::Result<Self> {
        make_folder(&path, 0o711)?;
        let folder = Self(path);
        make_folder(&folder.code(), 0o755)?;
        for own in [folder.work(), folder.temporary()] {
            make_folder(&own, 0o700)?;
            if let Some(user) = user {
                chown(&own, Some(user.uid), Some(user.gid))?;
            }
        }
        Ok(folder)
    }

    /// Gives the process what its version imports, to read, in the cache it keeps for itself.
    pub(super) fn link_packages(
        &self,
        packages: Option<&Tree>,
        user: Option<UserIdentity>,
    ) -> io::Result<()> {
        let cache = self.cache();
        make_folder(&cache, 0o700)?;
        if let Some(user) = user {
            chown(&cache, Some(user.uid), Some(user.gid))?;
        }
        for (kind, folder) in packages.into_iter().flat_map(Tree::folders) {
            symlink(folder, cache.join(kind))?;
        }
        Ok(())
    }

    /// Deno's own folder.
    pub(super) fn cache(&self) -> PathBuf {
        self.0.join("work/deno")
    }

    pub(super) fn code(&self) -> PathBuf {
        self.0.join("code")
    }

    /// Where files are put before they are copied to `code` with the right modes.
    pub(super) fn staging(&self) -> PathBuf {
        self.0.join("staging")
    }

    pub(super) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.0.join("work/tmp")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.0.join("work/s.sock")
    }

    /// Where a server of Node's listens.
    pub(super) fn node_socket(&self) -> PathBuf {
        self.0.join("work/n.sock")
    }
}

impl Drop for SlotFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(folder = %self.0.display(), %error, "a process's folder stays behind");
        }
    }
}

/// Copies what is in `from` into `to`, readable by everyone, whatever the umask is.
pub(super) fn copy_code(from: &Path, to: &Path) -> io::Result<()> {
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        for entry in from.join(&relative).read_dir()? {
            let entry = entry?;
            let relative = relative.join(entry.file_name());
            let target = to.join(&relative);
            if entry.file_type()?.is_dir() {
                make_folder(&target, 0o755)?;
                pending.push(relative);
            } else {
                if is_source(&relative) {
                    let text = fs::read(entry.path())?;
                    let rewritten = specifiers::rewrite(&text).map(String::into_bytes);
                    fs::write(&target, rewritten.unwrap_or(text))?;
                } else {
                    fs::copy(entry.path(), &target)?;
                }
                fs::set_permissions(&target, fs::Permissions::from_mode(0o644))?;
            }
        }
    }
    Ok(())
}
