//! How fast a process may print.

use std::time::Duration;

use tokio::time::Instant;

use super::Line;
use crate::domain::execution::Level;

/// Beyond this many lines a second a pipe is read no faster.
const MAX_LINES_PER_SECOND: u32 = 1_000;
/// How many seconds' worth of lines may come at once.
const BURST: u32 = 10;

/// Slows the reader of a pipe down.
pub(super) struct Pace {
    second: Instant,
    lines: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            second: Instant::now(),
            lines: 0,
        }
    }

    /// Counts a line; waits for the next second where this one has had its share.
    pub(super) async fn step(&mut self) {
        self.lines += 1;
        let next = self.second + Duration::from_secs(1);
        if self.lines >= MAX_LINES_PER_SECOND {
            tokio::time::sleep_until(next).await;
        }
        if Instant::now() >= next {
            *self = Self::new();
        }
    }
}

/// How many lines are kept.
pub(super) struct Rate {
    per_second: u32,
    allowed: u32,
    second: Instant,
    left_out: u64,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            allowed: per_second.saturating_mul(BURST),
            second: Instant::now(),
            left_out: 0,
        }
    }

    /// Whether one more line is kept; counts it where it is not.
    pub(super) fn allows(&mut self) -> bool {
        let seconds = self.second.elapsed().as_secs();
        if seconds > 0 {
            let more = u32::try_from(seconds)
                .unwrap_or(u32::MAX)
                .saturating_mul(self.per_second);
            let most = self.per_second.saturating_mul(BURST);
            self.allowed = self.allowed.saturating_add(more).min(most);
            self.second = Instant::now();
        }
        if self.allowed == 0 {
            self.left_out += 1;
            return false;
        }
        self.allowed -= 1;
        true
    }

    /// A line that tells how many were left out since the last such line.
    pub(super) fn left_out(&mut self) -> Option<Line> {
        let left_out = std::mem::take(&mut self.left_out);
        (left_out > 0).then(|| Line {
            execution: None,
            level: Level::Warn,
            message: format!(
                "{left_out} lines were left out: the function printed more than {} a second",
                self.per_second
            ),
        })
    }
}
