//! The folder that holds sockets, copies of code and the bootstrap while the service runs.
//!
//! It is locked: the next start removes what a killed one has left behind, and cleaners of `/tmp`
//! that honour locks leave it alone.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use common::Randomness;
use common::random::token;
use rustix::fs::{FlockOperation, Mode, OFlags};

pub(super) const PREFIX: &str = "selfdb-fn-";
/// A folder younger than this may belong to a start that has not locked it yet, in seconds.
const YOUNG: i64 = 60;
/// `sun_path` less what the longest name of ours takes.
const MAX_PATH_BYTES: usize = 60;

/// The bootstrap: every process runs `boot.ts`.
const BOOTSTRAP: &[(&str, &str)] = &[
    ("api.ts", include_str!("../../../runtime/api.ts")),
    ("boot.ts", include_str!("../../../runtime/boot.ts")),
    ("handler.ts", include_str!("../../../runtime/handler.ts")),
    ("journal.ts", include_str!("../../../runtime/journal.ts")),
    (
        "lifecycle.ts",
        include_str!("../../../runtime/lifecycle.ts"),
    ),
    (
        "node_server.ts",
        include_str!("../../../runtime/node_server.ts"),
    ),
    (
        "temporary.ts",
        include_str!("../../../runtime/temporary.ts"),
    ),
];

/// The folder, removed when this is dropped.
#[derive(Debug)]
pub(super) struct RunDirectory {
    path: PathBuf,
    _lock: OwnedFd,
}

impl RunDirectory {
    /// Makes a folder in `parent`, with the bootstrap and the folder `slots` in it.
    pub(super) fn create(parent: &Path, randomness: &dyn Randomness) -> io::Result<Self> {
        let parent = parent.canonicalize()?;
        check(&parent)?;
        let path = parent.join(format!("{PREFIX}{}", token(randomness, 8)));
        make_folder(&path, 0o711)?;
        let made = Self {
            _lock: lock(&path)?,
            path,
        };
        sweep(&parent, &made.path.metadata()?);
        make_folder(&made.path.join("slots"), 0o711)?;
        make_folder(&made.bootstrap(), 0o755)?;
        for (name, text) in BOOTSTRAP {
            let file = made.bootstrap().join(name);
            fs::write(&file, text)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        }
        Ok(made)
    }

    /// Its name, which no other service's folder has.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for packages: `wanted`, made where it is not there, or one in here where it
    /// cannot be made; then packages are restored after every start.
    pub(super) fn packages(&self, wanted: &Path) -> io::Result<PathBuf> {
        match open_to_all(wanted) {
            Ok(found) => Ok(found),
            Err(error) => {
                tracing::warn!(folder = %wanted.display(), %error, "packages of functions are not kept: set FUNCTIONS_CACHE_DIR");
                open_to_all(&self.path.join("packages"))
            }
        }
    }

    pub(super) fn bootstrap(&self) -> PathBuf {
        self.path.join("boot")
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::debug!(folder = %self.path.display(), %error, "the run directory stays behind");
        }
    }
}

/// Whether processes of another user can work in `parent`.
fn check(parent: &Path) -> io::Result<()> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(byte);
    let path = parent.as_os_str().as_encoded_bytes();
    let open = |folder: &Path| {
        folder
            .metadata()
            .is_ok_and(|folder| folder.mode() & 0o001 != 0)
    };
    let problem = if path.len() > MAX_PATH_BYTES {
        "is too long for sockets"
    } else if !path.iter().all(plain) {
        "has characters other than letters, digits and -_./"
    } else if rustix::process::geteuid().is_root() && !parent.ancestors().all(open) {
        "cannot be entered by the user that functions run as"
    } else {
        return Ok(());
    };
    let message = format!("{} {problem}: set FUNCTIONS_RUN_DIR", parent.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// Makes a folder with exactly `mode`, whatever the umask is.
pub(super) fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn open_to_all(path: &Path) -> io::Result<PathBuf> {
    if !path.is_dir() {
        fs::create_dir_all(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    path.canonicalize()
}

pub(super) fn lock(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive)?;
    Ok(folder)
}

/// Removes the folders of services that ended without doing so. `own` tells the user and the time.
fn sweep(parent: &Path, own: &Metadata) {
    let Ok(entries) = parent.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_ours = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes());
        let Some(metadata) = path.symlink_metadata().ok().filter(|_| is_ours) else {
            continue;
        };
        let old = own.mtime() - metadata.mtime() > YOUNG;
        if old && metadata.is_dir() && metadata.uid() == own.uid() && lock(&path).is_ok() {
            tracing::info!(folder = %path.display(), "removing what an earlier start has left");
            let _ = fs::remove_dir_all(&path);
        }
    }
}
