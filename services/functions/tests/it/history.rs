//! What has been asked of a queue of calls and what became of it, and the rules that both must
//! keep: nothing lost, one id for one cause, dead letters complete.

use std::collections::{BTreeMap, BTreeSet};

/// One delivery, as the function saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    /// What caused the call: a row, or a tick of a schedule.
    pub(crate) cause: String,
    pub(crate) attempt: i64,
}

/// A call that was given up.
#[derive(Debug, Clone)]
pub(crate) struct Dead {
    pub(crate) id: String,
    pub(crate) cause: String,
    pub(crate) attempts: i32,
}

/// Everything that is known of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Causes whose call ends well.
    pub(crate) good: BTreeSet<String>,
    /// Causes whose call fails at every try.
    pub(crate) bad: BTreeSet<String>,
    pub(crate) delivered: Vec<Delivery>,
    pub(crate) dead: Vec<Dead>,
    /// Tries after which a call is given up.
    pub(crate) most_attempts: i32,
}

impl History {
    /// Every rule that is broken.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let delivered: BTreeSet<&String> = self.delivered.iter().map(|one| &one.cause).collect();
        let dead: BTreeSet<&String> = self.dead.iter().map(|one| &one.cause).collect();
        for cause in self.good.iter().filter(|cause| !delivered.contains(cause)) {
            faults.push(format!("{cause} was lost"));
        }
        for cause in self.bad.iter().filter(|cause| !dead.contains(cause)) {
            faults.push(format!("{cause} is no dead letter"));
        }
        for cause in dead.iter().filter(|cause| !self.bad.contains(**cause)) {
            faults.push(format!("{cause} was given up and is a good one"));
        }
        for one in self
            .dead
            .iter()
            .filter(|one| one.attempts != self.most_attempts)
        {
            faults.push(format!("{} was given up after {}", one.cause, one.attempts));
        }
        faults.extend(self.ids());
        faults.extend(self.attempts());
        faults
    }

    /// Ids and causes belong to each other.
    fn ids(&self) -> Vec<String> {
        let delivered = self.delivered.iter().map(|one| (&one.id, &one.cause));
        let pairs = delivered.chain(self.dead.iter().map(|one| (&one.id, &one.cause)));
        let (mut ids, mut causes) = (BTreeMap::new(), BTreeMap::new());
        for (id, cause) in pairs {
            ids.entry(id).or_insert_with(BTreeSet::new).insert(cause);
            causes.entry(cause).or_insert_with(BTreeSet::new).insert(id);
        }
        let shared = ids.iter().filter(|(_, causes)| causes.len() > 1);
        let several = causes.iter().filter(|(_, ids)| ids.len() > 1);
        shared
            .map(|(id, causes)| format!("{id} is the id of {causes:?}"))
            .chain(several.map(|(cause, ids)| format!("{cause} has the ids {ids:?}")))
            .collect()
    }

    /// No try is made twice.
    fn attempts(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let again = self.delivered.iter().filter(|one| !seen.insert(*one));
        again.map(|one| format!("{one:?} twice")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: &str, cause: &str, attempt: i64) -> Delivery {
        Delivery {
            id: id.to_owned(),
            cause: cause.to_owned(),
            attempt,
        }
    }

    fn sound() -> History {
        History {
            good: BTreeSet::from(["a".to_owned(), "b".to_owned()]),
            bad: BTreeSet::from(["c".to_owned()]),
            delivered: vec![
                delivery("1", "a", 1),
                delivery("2", "b", 1),
                delivery("2", "b", 2),
                delivery("3", "c", 1),
                delivery("3", "c", 2),
            ],
            dead: vec![Dead {
                id: "3".to_owned(),
                cause: "c".to_owned(),
                attempts: 2,
            }],
            most_attempts: 2,
        }
    }

    #[test]
    fn a_sound_history_has_no_faults() {
        assert_eq!(sound().faults(), Vec::<String>::new());
    }

    /// What is said of a history that was damaged, and how.
    type Broken = (&'static str, fn(&mut History));

    #[test]
    fn each_rule_that_is_broken_is_a_fault() {
        let broken: [Broken; 7] = [
            ("a was lost", |it| drop(it.delivered.remove(0))),
            ("c is no dead letter", |it| it.dead.clear()),
            ("a good one", |it| {
                it.bad.clear();
            }),
            ("given up after 1", |it| it.dead[0].attempts = 1),
            ("is the id of", |it| it.delivered[1].id = "1".to_owned()),
            ("has the ids", |it| it.delivered[2].id = "9".to_owned()),
            ("twice", |it| it.delivered[2].attempt = 1),
        ];
        for (expected, damage) in broken {
            let mut history = sound();
            damage(&mut history);
            let faults = history.faults();
            assert!(
                faults.iter().any(|fault| fault.contains(expected)),
                "{expected}: {faults:?}"
            );
        }
    }
}
