//! Faults: a Postgres of a test's own that can be killed, with everything on disk as in
//! production.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use common::{Environment as _, ProcessEnvironment, Secret};
use pg::Endpoint;
use pg::local::{LocalConfig, LocalPostgres, RunningPostgres};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server with fsync on, started and watched by nobody but the test. Put tests that use it into
/// a module called `cluster`, whose tests run one at a time.
#[derive(Debug)]
pub struct PrivateCluster {
    config: LocalConfig,
    running: Option<RunningPostgres>,
    _home: TempDir,
}

impl PrivateCluster {
    /// Makes a cluster and starts it.
    pub async fn start() -> Self {
        let home = tempfile::tempdir().expect("a directory for the cluster");
        open_to_server(home.path());
        let config = LocalConfig {
            data_dir: home.path().join("data"),
            port: free_port(),
            password: Secret::from("correct-horse-battery-staple"),
            bin_dir: ProcessEnvironment.var("POSTGRES_BIN_DIR").map(Into::into),
            search_path: ProcessEnvironment.var("PATH").unwrap_or_default(),
        };
        let mut cluster = Self {
            config,
            running: None,
            _home: home,
        };
        cluster.restart().await;
        cluster
    }

    /// Its configuration, as `selfdb serve` would have read it.
    pub fn config(&self) -> &LocalConfig {
        &self.config
    }

    /// Where the superuser connects.
    pub fn endpoint(&self) -> Endpoint {
        self.config.endpoint()
    }

    /// Starts it again after [`PrivateCluster::kill`] or [`PrivateCluster::stop`], and waits until
    /// it has recovered.
    pub async fn restart(&mut self) {
        drop(self.running.take());
        let prepared = LocalPostgres::prepare(&self.config)
            .await
            .expect("a server to start");
        self.running = Some(prepared.start().await.expect("the server starts"));
    }

    /// Kills the postmaster with SIGKILL: a crash. It stays down until it is restarted.
    pub fn kill(&self) {
        let pid = self
            .running
            .as_ref()
            .and_then(RunningPostgres::pid)
            .expect("a running server");
        kill(pid);
    }

    /// Stops it in order.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// The running server, to be supervised as production does.
    pub fn take_running(&mut self) -> RunningPostgres {
        self.running.take().expect("a running server")
    }
}

/// The data goes next: the server ends at once, and its files are left alone until it has.
impl Drop for PrivateCluster {
    fn drop(&mut self) {
        let pid = self
            .running
            .as_ref()
            .and_then(RunningPostgres::pid)
            .and_then(process);
        let Some(pid) = pid.filter(|pid| kill_process(*pid, Signal::QUIT).is_ok()) else {
            return;
        };
        let file = self.config.data_dir.join("postgres/postmaster.pid");
        let deadline = Instant::now() + Duration::from_secs(5);
        while file.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Kills the process `pid` with SIGKILL.
pub fn kill(pid: u32) {
    let pid = process(pid).expect("a process id");
    kill_process(pid, Signal::KILL).expect("the process is there and ours");
}

fn process(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// A port nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

/// Temporary directories are closed to others, and the server may run as one.
fn open_to_server(directory: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(directory, mode).expect("a directory of ours");
}
