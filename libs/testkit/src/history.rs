//! What writers were told, held against what is there: nothing acknowledged is lost, nothing is
//! applied twice.
//!
//! Every write carries a mark of its own, and leaves that mark behind each time it is applied (a
//! row, or a line of a ledger that a trigger writes in the same transaction). A write that is sent
//! again under one idempotency key is the same write and has the same mark.

mod verdict;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use verdict::{Verdict, Violation};

/// What the writers of one test were told.
#[derive(Debug, Default)]
pub struct History {
    writes: Mutex<BTreeMap<String, Told>>,
}

/// How often the attempts at one write ended in each way.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    acknowledged: u32,
    refused: u32,
    unknown: u32,
}

/// One sending of a write. Dropped without an answer, its outcome is unknown.
#[derive(Debug)]
#[must_use = "an attempt ends when it is dropped"]
pub struct Attempt<'h> {
    history: &'h History,
    mark: String,
}

impl History {
    /// Notes that the write with `mark` is sent now, for the first time or again.
    pub fn invoke(&self, mark: impl Into<String>) -> Attempt<'_> {
        let mark = mark.into();
        // Counted as unknown until it is known: whatever ends the writer.
        self.note(&mark, |told| told.unknown += 1);
        Attempt {
            history: self,
            mark,
        }
    }

    /// How many writes were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.values().filter(|told| told.acknowledged > 0).count()
    }

    /// Holds what was told against `applied`: the marks that are there, one as often as it was
    /// applied.
    pub fn check<M: Into<String>>(&self, applied: impl IntoIterator<Item = M>) -> Verdict {
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for mark in applied {
            *times.entry(mark.into()).or_default() += 1;
        }
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut verdict = Verdict::default();
        for (mark, told) in &*writes {
            verdict.judge(mark, *told, times.remove(mark).unwrap_or(0));
        }
        let unasked = times.into_keys().map(Violation::Unasked);
        verdict.violations.extend(unasked);
        verdict
    }

    fn note(&self, mark: &str, change: impl FnOnce(&mut Told)) {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        change(writes.entry(mark.to_owned()).or_default());
    }
}

impl Attempt<'_> {
    /// The writer was told that it is done: it has to be there, once.
    pub fn acknowledge(self) {
        self.history.note(&self.mark, |told| {
            told.unknown -= 1;
            told.acknowledged += 1;
        });
    }

    /// The writer was told that it is not done, and will not be.
    pub fn refuse(self) {
        self.history.note(&self.mark, |told| {
            told.unknown -= 1;
            told.refused += 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `a` acknowledged, `b` of unknown outcome, `c` refused, `d` first unknown and then,
    /// sent again, acknowledged.
    fn history() -> History {
        let history = History::default();
        history.invoke("a").acknowledge();
        drop(history.invoke("b"));
        history.invoke("c").refuse();
        drop(history.invoke("d"));
        history.invoke("d").acknowledge();
        history
    }

    fn violations(applied: &[&str]) -> Vec<Violation> {
        history().check(applied.iter().copied()).violations
    }

    #[test]
    fn what_was_acknowledged_is_there_once_and_the_unknown_at_most_once() {
        assert_eq!(violations(&["a", "d"]), []);
        let verdict = history().check(["d", "b", "a"]);
        assert_eq!(verdict.violations, []);
        assert_eq!((verdict.acknowledged, verdict.unknown), (2, 1));
        assert_eq!((verdict.unknown_applied, verdict.refused), (1, 1));
    }

    #[test]
    fn an_acknowledged_write_that_is_gone_is_lost() {
        assert_eq!(violations(&["a"]), [Violation::Lost("d".to_owned())]);
    }

    #[test]
    fn nothing_is_applied_twice_whatever_was_said() {
        for mark in ["a", "b", "d"] {
            let applied = ["a", "d", mark, "b"];
            let doubled = Violation::Doubled {
                mark: mark.to_owned(),
                times: 2,
            };
            assert_eq!(violations(&applied), [doubled], "{mark}");
        }
    }

    #[test]
    fn a_refused_write_is_not_there() {
        let refused = Violation::Refused("c".to_owned());
        assert_eq!(violations(&["a", "c", "d"]), [refused]);
    }

    #[test]
    fn nothing_is_there_that_nobody_sent() {
        let unasked = Violation::Unasked("e".to_owned());
        assert_eq!(violations(&["a", "d", "e"]), [unasked]);
    }
}
