//! Everything before the server can start: the lock, the data directory, the port.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use super::config::SERVER_SETTINGS;
use super::initdb::{Initdb, with_suffix};
use super::server::Server;
use super::{Account, Binaries, LocalConfig, LocalError, RunningPostgres, leftovers};

/// Where servers' files lie whose `DATA_DIR` their account cannot enter.
const ELSEWHERE: &str = "/var/lib/selfdb-postgres";
/// The longest path a unix socket can have, in bytes.
const LONGEST_SOCKET: usize = 107;
/// The folder of the unix socket, beside the data.
pub const SOCKETS: &str = "run";

/// A data directory that is ours alone, and the programs that fit it.
#[derive(Debug)]
pub struct LocalPostgres {
    pub(super) data: PathBuf,
    pub(super) sockets: PathBuf,
    pub(super) port: u16,
    pub(super) binaries: Binaries,
    pub(super) account: Account,
    _lock: fs::File,
}

impl LocalPostgres {
    /// Takes the directory's lock, stops what an earlier run left, and makes the data directory
    /// where there is none.
    pub async fn prepare(config: &LocalConfig) -> Result<Self, LocalError> {
        let account = Account::for_server()?;
        let home = make_home(&config.data_dir)?;
        let home = reachable_home(home, account)?;
        let data = home.join("postgres");
        let lock = lock(&data)?;
        let recorded = recorded_version(&data).map(|version| (version, data.as_path()));
        let bin_dir = config.bin_dir.as_deref();
        let binaries = Binaries::find(bin_dir, &config.search_path, recorded)?;
        leftovers::stop_all(&data).await?;
        check_port(config.port)?;
        if recorded.is_none() {
            tracing::info!(version = binaries.major, data = %data.display(), "making the database");
            let initdb = Initdb {
                binaries: &binaries,
                account,
                data: &data,
                password: Some(&config.password),
                settings: SERVER_SETTINGS,
            };
            initdb.run().await?;
        }
        let sockets = make_sockets(&home, config.port, account)?;
        Ok(Self {
            data,
            sockets,
            port: config.port,
            binaries,
            account,
            _lock: lock,
        })
    }

    /// Starts the server and waits until it answers, however long it has to recover.
    pub async fn start(self) -> Result<RunningPostgres, LocalError> {
        let mut server = Server::spawn(&self)?;
        server.wait_ready(&self).await?;
        let (version, port) = (self.binaries.major, self.port);
        tracing::info!(version, port, "Postgres is ready");
        Ok(RunningPostgres {
            setup: self,
            server,
        })
    }

    /// The directory of the unix socket; usable as a host.
    pub fn socket_directory(&self) -> &Path {
        &self.sockets
    }
}

/// Others may pass through, not look: Postgres runs as another account where we are root.
fn make_home(path: &Path) -> Result<PathBuf, LocalError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(path)
        .map_err(LocalError::io("creating", path))?;
    fs::canonicalize(path).map_err(LocalError::io("finding", path))
}

/// `home`, or where the server's account cannot come to it (a folder in root's home, say) a
/// directory under [`ELSEWHERE`], with `home/postgres` a link to what lies there.
fn reachable_home(home: PathBuf, account: Account) -> Result<PathBuf, LocalError> {
    let Err(unreachable) = account.can_reach(&home) else {
        return Ok(home);
    };
    let digest = Sha256::digest(home.as_os_str().as_bytes());
    let name = digest
        .iter()
        .take(8)
        .fold(0_u64, |name, byte| name << 8 | u64::from(*byte));
    let elsewhere = make_home(&Path::new(ELSEWHERE).join(format!("{name:016x}")))?;
    let (link, target) = (home.join("postgres"), elsewhere.join("postgres"));
    let linked = fs::read_link(&link).is_ok_and(|place| place == target);
    if account.can_reach(&elsewhere).is_err() || (link.exists() && !linked) {
        return Err(unreachable);
    }
    if !linked {
        let _ = fs::remove_file(&link);
        symlink(&target, &link).map_err(LocalError::io("linking", &link))?;
    }
    link_sockets(&home, &elsewhere)?;
    tracing::info!(place = %target.display(), "Postgres' account cannot enter DATA_DIR: its files lie here");
    Ok(elsewhere)
}

/// Clients of this machine look for the socket under `DATA_DIR`, wherever the data lies.
fn link_sockets(home: &Path, elsewhere: &Path) -> Result<(), LocalError> {
    let (link, target) = (home.join(SOCKETS), elsewhere.join(SOCKETS));
    match symlink(&target, &link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(LocalError::io("linking", &link)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn lock(data: &Path) -> Result<fs::File, LocalError> {
    let path = with_suffix(data, "lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(LocalError::io("opening", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(LocalError::InUse {
            data: data.to_owned(),
        }),
        Err(error) => Err(LocalError::io("locking", &path)(error.into())),
    }
}

/// The major version that made the data, from its own record.
fn recorded_version(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn check_port(port: u16) -> Result<(), LocalError> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(LocalError::PortTaken { port }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// `run/` beside the data, or a directory of ours under `/tmp` where that path is too long.
fn make_sockets(home: &Path, port: u16, account: Account) -> Result<PathBuf, LocalError> {
    let near = home.join(SOCKETS);
    let name_length = format!("/.s.PGSQL.{port}").len();
    let directory = if near.as_os_str().len() + name_length <= LONGEST_SOCKET {
        near
    } else {
        PathBuf::from(format!("/tmp/selfdb-{}-{port}", account.uid))
    };
    let made = fs::DirBuilder::new().mode(0o700).create(&directory);
    if let Err(error) = made
        && error.kind() != ErrorKind::AlreadyExists
    {
        return Err(LocalError::io("creating", &directory)(error));
    }
    // `/tmp` is everybody's: a directory or link that somebody else made there is not used.
    let meta =
        fs::symlink_metadata(&directory).map_err(LocalError::io("looking at", &directory))?;
    let ours = [account.uid, rustix::process::geteuid().as_raw()].contains(&meta.uid());
    if !meta.is_dir() || !ours {
        let denied = std::io::Error::from(ErrorKind::PermissionDenied);
        return Err(LocalError::io("using", &directory)(denied));
    }
    account.own(&directory)?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_kept_out() {
        let home = tempfile::tempdir().expect("a directory");
        let data = home.path().join("postgres");
        let first = lock(&data).expect("free");
        assert!(matches!(lock(&data), Err(LocalError::InUse { .. })));
        drop(first);
        assert!(lock(&data).is_ok());
    }

    #[test]
    fn a_taken_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let error = check_port(port).expect_err("taken");
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }

    #[test]
    fn sockets_of_a_deep_directory_lie_elsewhere() {
        let home = tempfile::tempdir().expect("a directory");
        let deep = home.path().join("d".repeat(100));
        fs::create_dir(&deep).expect("a directory");
        let account = Account::for_server().expect("an account");
        let near = make_sockets(home.path(), 6001, account).expect("made");
        let far = make_sockets(&deep, 6001, account).expect("made");
        assert_eq!(near, home.path().join(SOCKETS));
        assert!(
            far.starts_with("/tmp") && far.as_os_str().len() < 60,
            "{far:?}"
        );
        fs::remove_dir(far).expect("removed");
    }
}
