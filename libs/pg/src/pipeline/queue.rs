//! Reads that wait for a connection. Whoever gets one for the first of them takes along as many as
//! it may: they go out in one write, and Postgres answers one after the other without having to be
//! woken for each.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::connection::Connection;
use super::encoded::Encoded;
use super::error::PipelineError;
use super::results::ResultSet;

/// How many go out together, at most.
const TOGETHER: usize = 8;
/// How many are looked at to find them.
const LOOKED_AT: usize = 4 * TOGETHER;

/// A read that waits.
pub(super) struct Job {
    pub(super) encoded: Arc<Encoded>,
    /// How long it may take once it is sent.
    pub(super) patience: Duration,
    since: Instant,
    pub(super) reply: oneshot::Sender<Reply>,
}

impl Job {
    /// Tells the caller, where it still waits.
    pub(super) fn end(self, reply: Reply) {
        let _ = self.reply.send(reply);
    }
}

/// What became of a job.
pub(super) enum Reply {
    Done(Result<Vec<ResultSet>, PipelineError>),
    /// It did not come to an end, and can be run alone.
    PassedOver,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Tasks that wait for a connection to run jobs on.
    drivers: usize,
}

impl State {
    /// Whether the jobs are more than those who wait for connections can take, and one more shall.
    fn wants_driver(&mut self) -> bool {
        let wants = self.jobs.len() > self.drivers * TOGETHER;
        self.drivers += usize::from(wants);
        wants
    }

    /// Adds to `taken` what may go out with the first.
    fn take_along(&mut self, connection: &Connection, taken: &mut Vec<Job>) {
        let mut at = 0;
        for _ in 0..LOOKED_AT {
            if taken.len() >= TOGETHER {
                return;
            }
            let Some(job) = self.jobs.get(at) else { return };
            if !job.reply.is_closed() && !connection.takes_along(&job.encoded) {
                at += 1;
            } else if let Some(job) = self.jobs.remove(at)
                && !job.reply.is_closed()
            {
                taken.push(job);
            }
        }
    }
}

impl Queue {
    /// Takes in a job, and answers where its outcome comes and whether one more driver is needed.
    pub(super) fn push(
        &self,
        encoded: Arc<Encoded>,
        patience: Duration,
    ) -> (oneshot::Receiver<Reply>, bool) {
        let (reply, outcome) = oneshot::channel();
        let since = Instant::now();
        let mut state = self.state();
        state.jobs.push_back(Job {
            encoded,
            patience,
            since,
            reply,
        });
        (outcome, state.wants_driver())
    }

    /// The jobs to run on `connection`, for a driver that has got it, and whether the rest needs
    /// one more driver.
    pub(super) fn take(&self, connection: &Connection) -> (Vec<Job>, bool) {
        let mut state = self.state();
        state.drivers = state.drivers.saturating_sub(1);
        let mut taken = Vec::with_capacity(TOGETHER);
        while let Some(first) = state.jobs.pop_front() {
            if first.reply.is_closed() {
                continue;
            }
            let is_quick = connection.takes_along(&first.encoded);
            taken.push(first);
            if is_quick {
                state.take_along(connection, &mut taken);
            }
            break;
        }
        (taken, state.wants_driver())
    }

    /// The jobs that have waited for `wait`, for a driver that got no connection, and whether the
    /// rest needs another driver.
    pub(super) fn give_up(&self, wait: Duration) -> (Vec<Job>, bool) {
        let mut state = self.state();
        state.drivers = state.drivers.saturating_sub(1);
        let is_due = |job: &mut Job| job.since.elapsed() >= wait;
        let mut taken = Vec::new();
        while taken.len() < TOGETHER
            && let Some(job) = state.jobs.pop_front_if(is_due)
        {
            taken.push(job);
        }
        (taken, state.wants_driver())
    }

    pub(super) fn len(&self) -> usize {
        self.state().jobs.len()
    }

    /// Nothing here panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
