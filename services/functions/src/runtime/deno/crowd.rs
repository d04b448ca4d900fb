//! The processes that are functions, for when as many run as may: idle ones make way.

use std::sync::{Arc, Mutex, PoisonError, Weak};
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

#[cfg(test)]
mod tests {
    use super::super::meter::Meter;
    use super::*;

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
