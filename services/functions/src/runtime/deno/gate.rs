//! Who may enter a worker, and how many are inside. Once closed it stays closed.
//!
//! It also keeps the bill: CPU time that is used while several are inside is split evenly among
//! them, so that what all of them used adds up to what the process did.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::meter::Meter;
use crate::domain::execution::Usage;
use crate::runtime::Invocation;

/// How old the CPU time may be that is split among several: each reading is a system call. One who
/// is alone gets it to the point.
const CPU_AGE: Duration = Duration::from_millis(1);
/// How old the memory that a request is told may be.
const MEMORY_AGE: Duration = Duration::from_millis(10);

/// The gate of one process.
#[derive(Debug)]
pub(super) struct Gate {
    meter: Meter,
    state: Mutex<State>,
    seats: Arc<Semaphore>,
    drained: Notify,
    overloaded: AtomicBool,
}

#[derive(Debug)]
struct State {
    open: bool,
    inside: usize,
    /// Requests that have left again.
    finished: u64,
    /// When the last one left, or the gate was made.
    quiet_since: Instant,
    closed_at: Option<Instant>,
    /// CPU time of the process when it was last read, and when that was.
    cpu_seen: Duration,
    cpu_read: Instant,
    /// What one who had always been inside would have to pay.
    cpu_share: Duration,
    /// The process's memory, and when it was read.
    memory: Option<(Instant, Option<u64>)>,
}

impl State {
    /// Resident memory, a little old at most: many requests that leave together read it once.
    fn memory(&mut self, meter: &Meter) -> Option<u64> {
        let now = Instant::now();
        let known = self
            .memory
            .filter(|(at, _)| now.duration_since(*at) < MEMORY_AGE);
        let (_, bytes) = *self
            .memory
            .insert(known.unwrap_or_else(|| (now, meter.memory_bytes())));
        bytes
    }

    /// Splits what was used since the last time among those who are inside.
    fn settle(&mut self, meter: &Meter) {
        let now = Instant::now();
        if self.inside > 1 && now.duration_since(self.cpu_read) < CPU_AGE {
            return;
        }
        let Some(cpu) = meter.cpu() else {
            return;
        };
        let used = cpu.saturating_sub(self.cpu_seen);
        if let Some(share) = u32::try_from(self.inside)
            .ok()
            .and_then(|inside| used.checked_div(inside))
        {
            self.cpu_share += share;
        }
        (self.cpu_seen, self.cpu_read) = (cpu, now);
    }
}

/// A request inside the gate; it leaves when this is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    gate: Arc<Gate>,
    seat: Option<OwnedSemaphorePermit>,
    invocation: Option<Arc<Invocation>>,
    share_then: Duration,
}

impl Gate {
    /// An open gate with `seats` places to be worked on at a time, of a process read by `meter`.
    pub(super) fn new(seats: usize, meter: Meter) -> Arc<Self> {
        Arc::new(Self {
            meter,
            state: Mutex::new(State {
                open: true,
                inside: 0,
                finished: 0,
                quiet_since: Instant::now(),
                closed_at: None,
                cpu_seen: Duration::ZERO,
                cpu_read: Instant::now(),
                cpu_share: Duration::ZERO,
                memory: None,
            }),
            seats: Arc::new(Semaphore::new(seats)),
            drained: Notify::new(),
            overloaded: AtomicBool::new(false),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters; `None` where the gate is closed. `invocation` is told at the end what it used.
    pub(super) fn enter(self: &Arc<Self>, invocation: Option<Arc<Invocation>>) -> Option<Entry> {
        let mut state = self.state();
        if !state.open {
            return None;
        }
        state.settle(&self.meter);
        state.inside += 1;
        let share_then = state.cpu_share;
        drop(state);
        Some(Entry {
            gate: Arc::clone(self),
            seat: None,
            invocation,
            share_then,
        })
    }

    /// Brings the bill up to date: after the process has ended nobody can.
    pub(super) fn settle(&self) {
        self.state().settle(&self.meter);
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().open
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.open {
            self.close_in(&mut state);
        }
    }

    /// Closes the gate if nobody has been inside for `limit`; says whether that was done now.
    pub(super) fn close_if_idle(&self, limit: Duration) -> bool {
        let mut state = self.state();
        let idle = state.inside == 0 && state.quiet_since.elapsed() >= limit;
        if !state.open || !idle {
            return false;
        }
        self.close_in(&mut state);
        true
    }

    fn close_in(&self, state: &mut State) {
        state.open = false;
        state.closed_at = Some(Instant::now());
        self.drained.notify_one();
    }

    /// How long nobody has been inside; `None` while somebody is.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let state = self.state();
        (state.inside == 0).then(|| state.quiet_since.elapsed())
    }

    /// How many are inside, seated or not.
    pub(super) fn inside(&self) -> usize {
        self.state().inside
    }

    /// How long the process has run or wanted to.
    pub(super) fn wanted(&self) -> Option<Duration> {
        self.meter.wanted()
    }

    /// Whether some wait for a seat.
    pub(super) fn is_crowded(&self) -> bool {
        self.state().inside > 1 && self.seats.available_permits() == 0
    }

    /// What the supervisor has found.
    pub(super) fn is_overloaded(&self) -> bool {
        self.overloaded.load(Ordering::Relaxed)
    }

    pub(super) fn set_overloaded(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::Relaxed);
    }

    /// How long the gate has been closed; `None` while it is open.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        self.state().closed_at.map(|since| since.elapsed())
    }

    /// How many have left; it grows as long as requests are answered.
    pub(super) fn finished(&self) -> u64 {
        self.state().finished
    }

    /// Waits until the gate is closed and nobody is inside.
    pub(super) async fn drained(&self) {
        loop {
            {
                let state = self.state();
                if !state.open && state.inside == 0 {
                    return;
                }
            }
            self.drained.notified().await;
        }
    }
}

impl Entry {
    /// Waits for a seat: from then on the request is worked on.
    pub(super) async fn sit_down(&mut self) {
        let seats = Arc::clone(&self.gate.seats);
        // The semaphore is never closed.
        self.seat = seats.acquire_owned().await.ok();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.settle(&self.gate.meter);
        if let Some(invocation) = &self.invocation {
            invocation.set_usage(Usage {
                cpu: Some(state.cpu_share.saturating_sub(self.share_then)),
                memory_bytes: state.memory(&self.gate.meter),
            });
        }
        state.inside -= 1;
        state.finished += 1;
        if state.inside == 0 {
            state.quiet_since = Instant::now();
            self.gate.drained.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_is_drained_when_the_last_one_leaves() {
        let gate = Gate::new(1, Meter::default());
        let first = gate.enter(None).expect("open");
        gate.close();
        assert!(gate.enter(None).is_none());
        assert!(gate.drained().now_or_never().is_none());
        drop(first);
        gate.drained().await;
        assert_eq!(gate.finished(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_idle_gate_closes_by_itself() {
        let gate = Gate::new(1, Meter::default());
        let inside = gate.enter(None).expect("open");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!gate.close_if_idle(Duration::from_secs(10)));
        assert!(gate.is_open());
        drop(inside);
        assert!(!gate.close_if_idle(Duration::from_secs(10)));
        assert!(gate.is_open(), "it was left just now");
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(gate.close_if_idle(Duration::from_secs(10)));
        assert!(!gate.is_open());
        assert!(!gate.close_if_idle(Duration::ZERO), "it is closed already");
    }

    #[tokio::test]
    async fn seats_are_handed_on() {
        let gate = Gate::new(1, Meter::default());
        let mut first = gate.enter(None).expect("open");
        let mut second = gate.enter(None).expect("open");
        first.sit_down().await;
        assert!(second.sit_down().now_or_never().is_none());
        drop(first);
        second.sit_down().await;
    }
}
