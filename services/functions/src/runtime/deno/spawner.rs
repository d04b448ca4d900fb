//! The one thread that starts processes. The kernel ends a sandboxed process when the thread that
//! started it ends, so that thread must live as long as the runtime does: no worker of Tokio's.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The thread only starts programs.
const STACK_BYTES: usize = 256 * 1024;

struct Job {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Starts processes; dropping it ends the thread, and with it whatever is left of them.
#[derive(Debug)]
pub(super) struct Spawner {
    jobs: mpsc::Sender<Job>,
}

impl Spawner {
    /// Starts the thread. Called in a Tokio runtime, which then reaps the processes.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, received) = mpsc::channel::<Job>();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("functions-spawn".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let _runtime = runtime.enter();
                for mut job in received {
                    // Where nobody waits any more, the process is dropped and thereby killed.
                    let _ = job.reply.send(job.command.spawn());
                }
            })?;
        Ok(Self { jobs })
    }

    /// Starts `command`.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts processes is gone");
        self.jobs.send(Job { command, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
