//! Whether a process has more to do than one processor can: one more of the same function helps
//! then, and only then. Requests that wait for something else need no second process, and where
//! every processor has enough to do a second one would only take turns with the first.

use std::time::Duration;

use tokio::time::Instant;

/// Of a processor's time, in percent.
const BUSY: u32 = 60;
/// How much of one all processors together have to have left, in percent.
const LEFT: u32 = 60;
/// So many looks one after the other have to find the same.
const LOOKS: u32 = 3;

/// What was seen of a process so far.
#[derive(Debug)]
pub(super) struct Strain {
    at: Instant,
    wanted: Duration,
    idle: Option<Duration>,
    looks: u32,
}

impl Strain {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::now(),
            wanted: Duration::ZERO,
            idle: None,
            looks: 0,
        }
    }

    /// Takes in that the process has `wanted` that much of a processor since it started, and has
    /// `inside` requests; says whether it has been falling behind for a while. `idle` tells how long
    /// all processors together have had nothing to do; it is asked where that matters.
    pub(super) fn look(
        &mut self,
        wanted: Duration,
        inside: usize,
        idle: impl FnOnce() -> Option<Duration>,
    ) -> bool {
        let (now, more) = (Instant::now(), wanted.saturating_sub(self.wanted));
        let since = now.duration_since(self.at);
        let busy = inside > 1 && more * 100 >= since * BUSY;
        let idle = if busy { idle() } else { None };
        let left = match (self.idle, idle) {
            (Some(before), Some(now)) => now.saturating_sub(before) * 100 >= since * LEFT,
            // The first busy look has nothing to compare with.
            (Some(_) | None, None) | (None, Some(_)) => true,
        };
        self.looks = if busy && left { self.looks + 1 } else { 0 };
        (self.at, self.wanted, self.idle) = (now, wanted, idle);
        self.looks >= LOOKS
    }
}

/// How long the machine's processors have had nothing to do since it started, all added up
/// (`proc_uptime(5)`); `None` where the kernel does not tell.
pub(super) fn machine_idle() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
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
            looks.push(strain.look(wanted, inside, || None));
        }
        let expected = [false, false, false, false, false, true, true, false];
        assert_eq!(looks, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_gained_where_no_processor_has_time_left() {
        let second = Duration::from_secs(1);
        let behind = async |idle: Duration| {
            let mut strain = Strain::new();
            let mut found = false;
            for look in 1..=6 {
                tokio::time::advance(second).await;
                found = strain.look(second * look, 9, || Some(idle * look));
            }
            found
        };
        assert!(behind(second).await);
        assert!(!behind(second / 10).await);
        assert!(machine_idle() > Some(Duration::ZERO));
    }
}
