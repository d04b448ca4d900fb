//! Server processes on our data directory that nobody watches any more: the postmaster of an
//! instance that was killed, or backends whose postmaster was.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::LocalError;

const POLL: Duration = Duration::from_millis(10);
/// How long each of fast, immediate and kill may take.
const FAST: Duration = Duration::from_secs(20);
const HARD: Duration = Duration::from_secs(5);

/// Ends everything that runs on `data`. The caller holds the instance's lock, so nothing here
/// belongs to another instance.
pub(super) async fn stop_all(data: &Path) -> Result<(), LocalError> {
    if let Some(pid) = postmaster(data).filter(|pid| runs_on(*pid, data)) {
        tracing::info!(
            pid = pid.as_raw_pid(),
            "stopping the Postgres of an earlier run"
        );
        for (signal, patience) in [(Signal::INT, FAST), (Signal::QUIT, HARD)] {
            let _ = kill_process(pid, signal);
            if gone(data, patience).await.is_ok() {
                return Ok(());
            }
        }
    }
    kill_orphans(data).await
}

/// Kills backends that outlived their postmaster. Nothing they could still do is acknowledged to
/// anybody, and the next server recovers from the log as after any crash.
pub(super) async fn kill_orphans(data: &Path) -> Result<(), LocalError> {
    for pid in processes(data) {
        let _ = kill_process(pid, Signal::KILL);
    }
    gone(data, HARD).await.map_err(|pid| LocalError::Stuck {
        pid: pid.as_raw_pid(),
        data: data.to_owned(),
    })
}

/// Waits until no process runs on `data`; answers one that still does.
async fn gone(data: &Path, patience: Duration) -> Result<(), Pid> {
    let deadline = Instant::now() + patience;
    loop {
        match processes(data).into_iter().next() {
            None => return Ok(()),
            Some(pid) if Instant::now() >= deadline => return Err(pid),
            Some(_) => sleep(POLL).await,
        }
    }
}

/// The process that `postmaster.pid` names; it may be gone, or be something else by now.
fn postmaster(data: &Path) -> Option<Pid> {
    let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    Pid::from_raw(file.lines().next()?.trim().parse().ok()?)
}

/// Every server process works in its data directory.
fn processes(data: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Pid::from_raw)
        .filter(|pid| runs_on(*pid, data))
        .collect()
}

fn runs_on(pid: Pid, data: &Path) -> bool {
    let process = Path::new("/proc").join(pid.as_raw_pid().to_string());
    let works_there = fs::read_link(process.join("cwd")).is_ok_and(|place| place == data);
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    works_there && name.trim_end() == "postgres"
}
