//! Why there is no local Postgres.

use std::io;
use std::path::{Path, PathBuf};

/// Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No server programs of a version that will do.
    #[error(
        "no Postgres of version 14 or later was found (looked at POSTGRES_BIN_DIR, \
         /usr/lib/postgresql/*/bin and PATH): install one, or set DATABASE_URL"
    )]
    NoBinaries,
    /// The data was made by a major version that is not installed.
    #[error(
        "the data in {} belongs to Postgres {recorded}, and what is installed here is {found}: \
         install version {recorded}, or migrate the data with pg_upgrade", data.display()
    )]
    VersionMismatch {
        /// The data directory.
        data: PathBuf,
        /// The version that made it.
        recorded: u32,
        /// The versions there are.
        found: String,
    },
    /// Postgres refuses to run as root and there is nobody else to run it as.
    #[error("Postgres does not run as root, and this machine has no account named postgres")]
    NoAccount,
    /// The account Postgres runs as cannot reach its own data.
    #[error(
        "the account postgres cannot enter {}: choose a DATA_DIR whose parents it may enter \
         (/var/lib/selfdb is the default for root)", directory.display()
    )]
    Unreachable {
        /// The first directory it may not enter.
        directory: PathBuf,
    },
    /// Another running instance has this directory.
    #[error("another instance is running on {}: stop it, or choose another DATA_DIR", data.display())]
    InUse {
        /// The data directory.
        data: PathBuf,
    },
    /// Somebody else listens where Postgres should.
    #[error("port {port} is taken: choose another POSTGRES_PORT")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The data directory could not be made.
    #[error("initdb failed: {output}")]
    Initdb {
        /// What it printed.
        output: String,
    },
    /// The server ended, or was not ready in time.
    #[error("Postgres did not start: {log}")]
    Start {
        /// The end of its log.
        log: String,
    },
    /// A process on the data directory that does not end even when killed.
    #[error("process {pid} still uses {}: end it", data.display())]
    Stuck {
        /// The process.
        pid: i32,
        /// The data directory.
        data: PathBuf,
    },
    /// A file or a process could not be worked with.
    #[error("{action} {} failed: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl LocalError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
