//! Whether a process has more to do than one processor can: one more of the same function helps
//! then, and only then. Requests that wait for something else need no second process.

use std::time::Duration;

use tokio::time::Instant;

/// Of a processor's time, in percent.
const BUSY: u32 = 60;
/// So many looks one after the other have to find the same.
const LOOKS: u32 = 3;

/// What was seen of a process so far.
#[derive(Debug)]
pub(super) struct Strain {
    at: Instant,
    wanted: Duration,
    looks: u32,
}

impl Strain {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::now(),
            wanted: Duration::ZERO,
            looks: 0,
        }
    }

    /// Takes in that the process has `wanted` that much of a processor since it started, and has
    /// `inside` requests; says whether it has been falling behind for a while.
    pub(super) fn look(&mut self, wanted: Duration, inside: usize) -> bool {
        let (now, more) = (Instant::now(), wanted.saturating_sub(self.wanted));
        let busy = more * 100 >= now.duration_since(self.at) * BUSY;
        self.looks = if busy && inside > 1 {
            self.looks + 1
        } else {
            0
        };
        (self.at, self.wanted) = (now, wanted);
        self.looks >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_lasting_work_of_several_requests_is_too_much() {
        let mut strain = Strain::new();
        let mut wanted = Duration::ZERO;
        let mut looks = Vec::new();
        for (percent, inside) in [
            (90, 5),
            (90, 5),
            (10, 5),
            (90, 5),
            (90, 2),
            (60, 2),
            (90, 9),
            (90, 1),
        ] {
            tokio::time::advance(Duration::from_millis(250)).await;
            wanted += Duration::from_millis(250) * percent / 100;
            looks.push(strain.look(wanted, inside));
        }
        let expected = [false, false, false, false, false, true, true, false];
        assert_eq!(looks, expected);
    }
}
