//! Two-phase shutdown and supervision of tasks.
//!
//! The first signal is soft: listeners close, requests in flight finish. After the grace period,
//! or at the second signal, it is hard: what still runs is dropped.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::chain;
use crate::service::Task;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A task that ran this long before it ended starts again with the shortest pause.
const STEADY: Duration = Duration::from_secs(30);

/// The tokens and the tracker that everything of one process runs under.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// A lifecycle that has not begun to end.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when new work must no longer be taken.
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Cancelled when work in flight must be dropped.
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Runs `future` as part of this process: shutdown waits for it, and drops it when it is hard.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let hard = self.hard.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = future => {}
                () = hard.cancelled() => {}
            }
        });
    }

    /// Runs `task` until the soft shutdown, starting it again whenever it ends before that.
    pub fn supervise(&self, service: &'static str, task: Task) {
        let soft = self.soft.clone();
        self.spawn(async move {
            let mut pause = FIRST_PAUSE;
            while !soft.is_cancelled() {
                let started = tokio::time::Instant::now();
                let ended = AssertUnwindSafe(task.run(soft.child_token())).catch_unwind().await;
                if soft.is_cancelled() {
                    break;
                }
                let error = match ended {
                    Ok(Ok(())) => "ended by itself".to_owned(),
                    Ok(Err(error)) => chain(&*error),
                    Err(_) => "panicked".to_owned(),
                };
                if started.elapsed() > STEADY {
                    pause = FIRST_PAUSE;
                }
                let pause_ms = pause.as_millis();
                tracing::warn!(service, task = task.name, error, pause_ms, "task restarts");
                metrics::counter!("selfdb_task_restarts_total", "service" => service, "task" => task.name)
                    .increment(1);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = soft.cancelled() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Begins the soft shutdown.
    pub fn begin_shutdown(&self) {
        self.soft.cancel();
    }

    /// Waits for SIGTERM or SIGINT (or a shutdown begun elsewhere), then ends both phases: the
    /// hard one after `grace`, or at a second signal.
    pub async fn run_until_shutdown(&self, grace: Duration) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = self.soft.cancelled() => {}
        }
        tracing::info!("shutting down: finishing what is in flight");
        self.soft.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return Ok(()),
            () = tokio::time::sleep(grace) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("shutting down: dropping what is still in flight");
        self.hard.cancel();
        self.tasks.wait().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_or_panics_is_started_again() {
        let lifecycle = Lifecycle::new();
        let starts = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&starts);
        let task = Task::new("flaky", move |token| {
            let start = seen.fetch_add(1, Ordering::SeqCst);
            async move {
                match start {
                    0 => Err("first".into()),
                    1 => panic!("second"),
                    _ => {
                        token.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        lifecycle.supervise("test", task);
        while starts.load(Ordering::SeqCst) < 3 {
            tokio::time::advance(Duration::from_millis(50)).await;
            tokio::task::yield_now().await;
        }
        lifecycle.begin_shutdown();
        lifecycle
            .run_until_shutdown(Duration::from_secs(1))
            .await
            .expect("signals");
        assert_eq!(starts.load(Ordering::SeqCst), 3);
    }
}
