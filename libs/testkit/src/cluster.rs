//! One Postgres for all tests of this account on this machine. It is started by the first test
//! that needs it and keeps running between test runs, until `testkit-postgres stop`.
//!
//! It is made to be fast and thrown away: no fsync, connections of loopback trusted. Members of
//! the role `testkit_scram` must show their password, for tests of just that.

mod start;

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;

use common::{Environment as _, ProcessEnvironment};
use pg::local::{Account, Binaries};
use pg::sqlx::Connection as _;
use pg::sqlx::postgres::PgConnection;
use pg::{Endpoint, endpoint::TlsMode, roles};
use rustix::fs::{FlockOperation, flock};

/// The running server.
#[derive(Debug, Clone)]
pub struct SharedCluster {
    /// Its TCP port on 127.0.0.1.
    pub port: u16,
    /// The directory of its unix socket, its data and its log.
    pub home: PathBuf,
}

/// Where the cluster lies and what runs it.
#[derive(Debug)]
struct Site {
    home: PathBuf,
    binaries: Binaries,
    account: Account,
}

impl Site {
    fn find() -> Self {
        let path = ProcessEnvironment.var("PATH").unwrap_or_default();
        let given = ProcessEnvironment
            .var("POSTGRES_BIN_DIR")
            .map(PathBuf::from);
        let binaries =
            Binaries::find(given.as_deref(), &path, None).expect("a Postgres to test on");
        let account = Account::for_server().expect("an account to run Postgres as");
        let name = format!("selfdb-testkit-{}-{}", account.uid, binaries.major);
        Self {
            home: std::env::temp_dir().join(name),
            binaries,
            account,
        }
    }

    /// Held while the cluster or a template on it is made or stopped.
    fn lock(&self) -> File {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.home.with_extension("lock"))
            .expect("the lock file of the test cluster");
        flock(&file, FlockOperation::LockExclusive).expect("the lock of the test cluster");
        file
    }

    /// The running server, if it runs.
    fn running(&self) -> Option<SharedCluster> {
        let port = fs::read_to_string(self.home.join("port"))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let state = fs::read_to_string(self.home.join("data/postmaster.pid")).ok()?;
        let ready = state
            .lines()
            .nth(7)
            .is_some_and(|line| line.trim() == "ready");
        let answers = ready && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        answers.then(|| SharedCluster {
            port,
            home: self.home.clone(),
        })
    }
}

impl SharedCluster {
    /// The server; started now where it does not run.
    pub async fn get() -> Self {
        let site = Site::find();
        if let Some(running) = site.running() {
            return running;
        }
        let _lock = site.lock();
        match site.running() {
            Some(running) => running,
            None => site.start().await,
        }
    }

    /// Stops the server and deletes its data.
    pub async fn stop() {
        let site = Site::find();
        let _lock = site.lock();
        site.stop().await;
    }

    /// Where `user` finds `database`; nobody needs a password.
    pub fn endpoint(&self, database: &str, user: &str) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            database: database.to_owned(),
            user: user.to_owned(),
            password: None,
            tls: TlsMode::Disable,
            root_certificate: None,
            socket_directory: None,
        }
    }

    /// A superuser's connection to no test's database.
    pub async fn connect(&self) -> PgConnection {
        let endpoint = self.endpoint("postgres", roles::SUPERUSER);
        PgConnection::connect_with(&endpoint.connect_options())
            .await
            .expect("a connection to the test cluster")
    }

    pub(crate) fn lock() -> File {
        Site::find().lock()
    }
}
