//! The processes that have started ahead and wait for a function.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::DenoRuntime;
use super::slot::Slot;

/// After a process that did not start, before the next try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often waiting processes are counted, beside when one was taken: one may have died.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// The waiting processes.
#[derive(Debug)]
pub(super) struct Stock {
    size: usize,
    slots: Mutex<VecDeque<Slot>>,
    taken: Notify,
    failing: AtomicBool,
}

impl Stock {
    /// A stock for `size` processes, empty as yet.
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            slots: Mutex::default(),
            taken: Notify::new(),
            failing: AtomicBool::new(false),
        }
    }

    fn slots(&self) -> MutexGuard<'_, VecDeque<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a process out, where one waits.
    pub(super) fn take(&self) -> Option<Slot> {
        let slot = self.slots().pop_front();
        self.taken.notify_one();
        slot
    }

    pub(super) fn has_some(&self) -> bool {
        !self.slots().is_empty()
    }

    /// Whether processes come up.
    pub(super) fn state(&self) -> Result<(), String> {
        if self.failing.load(Ordering::Relaxed) {
            return Err("processes do not start: the log says why".to_owned());
        }
        Ok(())
    }

    /// Ends one that waits, to make room; says whether there was one.
    pub(super) fn discard(&self) -> bool {
        self.slots().pop_front().is_some()
    }

    /// Ends all that wait.
    pub(super) fn clear(&self) {
        self.slots().clear();
    }

    /// Replaces what is taken or has died, one at a time, for as long as it is polled.
    pub(super) async fn keep_full(&self, runtime: &DenoRuntime) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.slots().retain(|slot| !slot.is_lost());
            let full = self.slots().len() >= self.size;
            let spawned = if full {
                None
            } else {
                runtime.spawn_waiting_slot().await
            };
            if let Some(spawned) = &spawned {
                self.failing.store(spawned.is_err(), Ordering::Relaxed);
            }
            match spawned {
                Some(Ok(slot)) => {
                    self.slots().push_back(slot);
                    pause = FIRST_PAUSE;
                }
                Some(Err(error)) => {
                    let error = common::error::chain(&*error);
                    tracing::error!(error, "a process for functions did not start");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                None => {
                    let _ = tokio::time::timeout(COUNT_EVERY, self.taken.notified()).await;
                }
            }
        }
    }
}
