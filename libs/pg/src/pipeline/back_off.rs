//! When to try to connect again. While Postgres is away requests are refused at once instead of
//! queueing up at its door.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Short enough to serve again within a second of Postgres' return.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

#[derive(Debug, Default)]
pub(super) struct BackOff {
    pause: Duration,
    until: Option<Instant>,
}

impl BackOff {
    /// Whether the next attempt is not due yet.
    pub(super) fn is_waiting(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Notes a connection made.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Notes an attempt that failed; attempts made side by side count once. Answers whether it is
    /// the first since the last success.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        if self.is_waiting(now) {
            return false;
        }
        let first = self.until.is_none();
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.until = Some(now + self.pause);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_end_with_success() {
        let mut now = Instant::now();
        let mut back_off = BackOff::default();
        assert!(!back_off.is_waiting(now));
        assert!(back_off.failed(now));
        assert!(!back_off.failed(now), "failed side by side");
        for pause in [50, 100, 200, 400, 400] {
            assert!(back_off.is_waiting(now + Duration::from_millis(pause - 1)));
            now += Duration::from_millis(pause);
            assert!(!back_off.is_waiting(now));
            assert!(!back_off.failed(now));
        }
        back_off.succeeded();
        assert!(!back_off.is_waiting(now));
        assert!(back_off.failed(now));
    }
}
