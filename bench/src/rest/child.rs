//! Programs that are measured: started here, ended with this process' part of them.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client;

const PATIENCE: Duration = Duration::from_mins(1);

/// A running program.
pub(crate) struct Program {
    child: Child,
}

impl Program {
    /// Starts `command` with its output in `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let log = File::create(log).expect("a log");
        let error = log.try_clone().expect("a log");
        command.stdin(Stdio::null()).stdout(log).stderr(error);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().expect(&name);
        Self { child }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it answers `url` with a 2xx.
    pub(crate) async fn answers(&mut self, url: &str) {
        let waited = async {
            while !client::is_well(url).await {
                let ended = self.child.try_wait().expect("a child");
                assert!(ended.is_none(), "it ended: {ended:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let answered = tokio::time::timeout(PATIENCE, waited).await;
        answered.expect("an answer within a minute");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // In order, since it may have children of its own.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}
