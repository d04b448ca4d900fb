//! One run of the server process, and the server as its owner sees it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::log::{LogTail, forward};
use super::{LocalError, LocalPostgres};

const POLL: Duration = Duration::from_millis(20);
/// How often a long recovery is spoken of.
const NEWS: Duration = Duration::from_secs(10);
/// How long a fast shutdown may take (its checkpoint writes all dirty pages), then an immediate.
const FAST: Duration = Duration::from_secs(30);
const IMMEDIATE: Duration = Duration::from_secs(5);

/// A server that is up, ours until it is dropped or told to stop.
#[derive(Debug)]
pub struct RunningPostgres {
    pub(super) setup: LocalPostgres,
    pub(super) server: Server,
}

impl RunningPostgres {
    /// The postmaster's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.child.id()
    }

    /// The directory of the unix socket; usable as a host.
    pub fn socket_directory(&self) -> &std::path::Path {
        self.setup.socket_directory()
    }

    /// Ends clients' sessions and the server, its data written out.
    pub async fn stop(mut self) -> LocalPostgres {
        self.server.stop().await;
        self.setup
    }
}

/// The process and what it says. Dropped, it is told to shut down and not waited for.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) child: Child,
    tail: LogTail,
    /// Ends by itself with the last process that holds the server's standard error.
    _log: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn spawn(setup: &LocalPostgres) -> Result<Self, LocalError> {
        let mut command = Command::new(setup.binaries.program("postgres"));
        command.arg("-D").arg(&setup.data);
        let sockets = setup.sockets.display();
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", setup.port),
            format!("unix_socket_directories={sockets}"),
            "wal_level=logical".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        // A process group of its own: Ctrl-C is for us, and we end Postgres last.
        command
            .process_group(0)
            .current_dir(&setup.data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        setup.account.apply(&mut command);
        let mut child = command
            .spawn()
            .map_err(LocalError::io("starting", &setup.data))?;
        let tail = LogTail::default();
        let log = child
            .stderr
            .take()
            .map(|pipe| tokio::spawn(forward(pipe, tail.clone())));
        Ok(Self {
            child,
            tail,
            _log: log,
        })
    }

    /// Waits until connections are taken; fails only when the process ends.
    pub(super) async fn wait_ready(&mut self, setup: &LocalPostgres) -> Result<(), LocalError> {
        let mut news = Instant::now() + NEWS;
        while !self.is_ready(setup) {
            let ended = self
                .child
                .try_wait()
                .map_err(LocalError::io("watching", &setup.data))?;
            if ended.is_some() {
                // The last lines may still be on their way through the pipe.
                sleep(POLL).await;
                return Err(LocalError::Start {
                    log: self.tail.text(),
                });
            }
            if Instant::now() >= news {
                tracing::info!("Postgres is still recovering");
                news += NEWS;
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// The postmaster writes its state into line 8 of its pid file (as `pg_ctl` reads it).
    fn is_ready(&self, setup: &LocalPostgres) -> bool {
        let file = fs::read_to_string(setup.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines();
        let pid = lines.next().and_then(|line| line.trim().parse().ok());
        pid.is_some()
            && pid == self.child.id()
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    pub(super) async fn stop(&mut self) {
        for (signal, patience) in [(Signal::INT, FAST), (Signal::QUIT, IMMEDIATE)] {
            self.signal(signal);
            if timeout(patience, self.child.wait()).await.is_ok() {
                return;
            }
            tracing::warn!(?signal, "Postgres does not stop");
        }
        if let Err(error) = self.child.kill().await {
            tracing::error!(%error, "Postgres could not be killed");
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::INT);
    }
}
