//! What the local Postgres is told by the env file.

use std::path::PathBuf;

use common::{Secret, Settings};

use crate::{Endpoint, endpoint, roles};

/// Where the data lies and where the server listens.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Everything of the platform's that is kept; Postgres has `postgres/` in it.
    pub data_dir: PathBuf,
    /// The TCP port on 127.0.0.1.
    pub port: u16,
    /// The superuser's password.
    pub password: Secret,
    /// The directory of the server's programs, where it is not to be searched for.
    pub bin_dir: Option<PathBuf>,
    /// Where programs are looked for last.
    pub search_path: String,
}

impl LocalConfig {
    /// Reads `DATA_DIR` (default `/var/lib/selfdb` for root, else `./data`), `POSTGRES_PORT`,
    /// `POSTGRES_PASSWORD`, `POSTGRES_BIN_DIR` and `PATH`.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let root = rustix::process::geteuid().is_root();
        let default = if root { "/var/lib/selfdb" } else { "./data" };
        let password = settings.secret("POSTGRES_PASSWORD", endpoint::MIN_PASSWORD_BYTES);
        Some(Self {
            data_dir: settings.path("DATA_DIR", default),
            port: settings.port("POSTGRES_PORT", endpoint::DEFAULT_PORT),
            bin_dir: settings.text("POSTGRES_BIN_DIR").map(PathBuf::from),
            search_path: settings.text_or("PATH", ""),
            password: password?,
        })
    }

    /// Where the superuser connects.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            database: "postgres".to_owned(),
            user: roles::SUPERUSER.to_owned(),
            password: Some(self.password.clone()),
            tls: endpoint::TlsMode::Disable,
            root_certificate: None,
            socket_directory: None,
        }
    }
}

/// Modest, since every service runs beside it; an operator's `selfdb.conf` is never overwritten.
/// `log_min_messages = log` keeps clients' mistakes, and the values in them, out of the log.
pub(super) const SERVER_SETTINGS: &str = "\
# Written once, when this directory was made. Edit freely; restart to apply.
max_connections = 120
shared_buffers = 128MB
password_encryption = scram-sha-256
max_replication_slots = 10
max_wal_senders = 10
max_slot_wal_keep_size = 1GB
log_min_messages = log
log_min_error_statement = panic
log_checkpoints = off
";
