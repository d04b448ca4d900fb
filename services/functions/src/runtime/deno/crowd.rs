//! The processes that are functions, for when as many run as may: idle ones make way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::gate::Gate;

/// The gates of all functions' processes.
#[derive(Debug, Default)]
pub(super) struct Crowd(Mutex<Vec<Weak<Gate>>>);

impl Crowd {
    /// Counts the process behind `gate` in, for as long as that is open.
    pub(super) fn join(&self, gate: &Arc<Gate>) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.retain(|each| each.upgrade().is_some_and(|each| each.is_open()));
        gates.push(Arc::downgrade(gate));
    }

    /// Closes the gate behind which nothing has happened for the longest time; says whether there
    /// was one. Whoever is told so may count on that process's place: nobody else is.
    pub(super) fn make_way(&self) -> bool {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = gates.iter().filter_map(Weak::upgrade);
        let mut idle: Vec<_> = open
            .filter(|gate| gate.is_open())
            .filter_map(|gate| Some((gate.idle_for()?, gate)))
            .collect();
        idle.sort_by_key(|(idle, _)| std::cmp::Reverse(*idle));
        // One may have been entered since.
        idle.iter()
            .any(|(_, gate)| gate.close_if_idle(Duration::ZERO))
    }
}

/// Those who wait for a place. Places are given to them in the order they came, so one that somebody
/// has made free may be another's: as many are made free as there are who wait, whoever does it.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    waiters: usize,
    /// Places that are being made free.
    coming: usize,
}

/// One who waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Waiter<'a>(&'a Queue);

impl Queue {
    pub(super) fn join(&self) -> Waiter<'_> {
        self.waiting().waiters += 1;
        Waiter(self)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// Has one more place made free by `make_way`, where fewer are coming than are waited for.
    pub(super) fn make_way(&self, make_way: impl FnOnce() -> bool) {
        let mut waiting = self.0.waiting();
        if waiting.coming < waiting.waiters && make_way() {
            waiting.coming += 1;
        }
    }
}

impl Drop for Waiter<'_> {
    /// With a place or without one. Where it came from is not known: one too many is made free
    /// rather than one too few.
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.waiters -= 1;
        waiting.coming = waiting.coming.saturating_sub(1).min(waiting.waiters);
    }
}

#[cfg(test)]
mod tests {
    use super::super::meter::Meter;
    use super::*;

    #[test]
    fn who_made_a_place_free_that_another_got_makes_one_more() {
        let queue = Queue::default();
        let made = |waiter: &Waiter<'_>, finds: bool| {
            let mut asked = false;
            waiter.make_way(|| {
                asked = true;
                finds
            });
            asked
        };
        let (first, second) = (queue.join(), queue.join());
        assert!(made(&first, false), "nobody was idle then");
        assert!(made(&second, true));
        assert!(made(&first, true), "two wait, one place is coming");
        assert!(!made(&second, true), "two are coming");
        drop(first);
        assert!(!made(&second, true), "the other one is");
        let third = queue.join();
        assert!(made(&third, true));
        drop((second, third));
        let last = queue.join();
        assert!(made(&last, false));
        drop(last);
        // A place that came from elsewhere leaves nobody behind without one.
        let (first, second) = (queue.join(), queue.join());
        assert!(made(&second, true), "the place that the first one gets");
        drop(first);
        assert!(made(&second, true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_makes_way_and_each_only_once() {
        let crowd = Crowd::default();
        let gates: Vec<_> = (0..3).map(|_| Gate::new(1, Meter::default())).collect();
        for gate in &gates {
            crowd.join(gate);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let busy = gates[0].enter(None).expect("open");
        let open = || gates.iter().map(|gate| gate.is_open()).collect::<Vec<_>>();
        assert!(crowd.make_way());
        assert_eq!(open(), [true, false, true]);
        assert!(crowd.make_way());
        assert_eq!(open(), [true, false, false]);
        assert!(!crowd.make_way(), "the one that is left works");
        drop(busy);
        assert!(crowd.make_way());
    }
}
