//! What came of a history.

use std::fmt;

use super::Told;

/// How many writes ended in which way, and what must not be.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Writes that were acknowledged at least once.
    pub acknowledged: usize,
    /// Writes of which nobody knows.
    pub unknown: usize,
    /// Those of them that were applied.
    pub unknown_applied: usize,
    /// Writes that were refused each time they were sent.
    pub refused: usize,
    /// What must not be; empty where all is well.
    pub violations: Vec<Violation>,
}

/// A promise that was broken, with the write's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged, and not there.
    Lost(String),
    /// Applied more than once.
    Doubled {
        /// The write.
        mark: String,
        /// How often it is there.
        times: u32,
    },
    /// Refused, and there.
    Refused(String),
    /// There, and never sent.
    Unasked(String),
}

impl Verdict {
    /// Adds one write that was applied so many `times`.
    pub(super) fn judge(&mut self, mark: &str, told: Told, times: u32) {
        let mark = mark.to_owned();
        if told.acknowledged > 0 {
            self.acknowledged += 1;
        } else if told.unknown > 0 {
            self.unknown += 1;
            self.unknown_applied += usize::from(times > 0);
        } else {
            self.refused += 1;
        }
        if times > 1 {
            self.violations.push(Violation::Doubled { mark, times });
        } else if times == 0 && told.acknowledged > 0 {
            self.violations.push(Violation::Lost(mark));
        } else if times == 1 && told.acknowledged == 0 && told.unknown == 0 {
            self.violations.push(Violation::Refused(mark));
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = |violation: &&Violation| matches!(violation, Violation::Lost(_));
        let doubled = |violation: &&Violation| matches!(violation, Violation::Doubled { .. });
        write!(
            f,
            "{} acknowledged, {} unknown ({} of them applied), {} refused: {} lost, {} applied \
             twice, {} violations in all",
            self.acknowledged,
            self.unknown,
            self.unknown_applied,
            self.refused,
            self.violations.iter().filter(lost).count(),
            self.violations.iter().filter(doubled).count(),
            self.violations.len(),
        )
    }
}
