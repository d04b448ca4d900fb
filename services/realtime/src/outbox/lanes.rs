//! Writes to all sockets, in rounds: a round writes to each socket whatever waits for it, and the
//! next one waits a little where the last took long. So a socket that hears much gets many
//! messages with one write, and one that hears little gets them at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::Line;

/// Between two rounds there are so many times what the first took.
const REST: u32 = 6;
/// But no more than this.
const LONGEST_REST: Duration = Duration::from_millis(15);
/// Timers are not finer.
const SHORTEST_REST: Duration = Duration::from_millis(1);
/// Others are let run after writing to so many sockets.
const AT_ONCE: usize = 32;

/// Some lanes, which sockets are dealt to in turn.
#[derive(Debug)]
pub struct Lanes {
    lanes: Vec<Arc<Lane>>,
    next: AtomicUsize,
}

impl Lanes {
    /// So many of them, which run where they are made: on the current runtime.
    pub fn new(count: usize) -> Self {
        let runtime = Handle::current();
        let lane = |_| {
            Arc::new(Lane {
                rounds: Mutex::default(),
                runtime: runtime.clone(),
            })
        };
        Self {
            lanes: (0..count.max(1)).map(lane).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// The lane of the next socket.
    pub fn next(&self) -> Arc<Lane> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len();
        Arc::clone(&self.lanes[turn])
    }
}

/// Writes to its sockets, one after the other.
#[derive(Debug)]
pub struct Lane {
    rounds: Mutex<Rounds>,
    runtime: Handle,
}

#[derive(Debug, Default)]
struct Rounds {
    /// Those that there is something to write to.
    lines: Vec<Arc<Line>>,
    /// Whether a task is at it.
    running: bool,
}

impl Lane {
    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(self: &Arc<Self>, line: Arc<Line>) {
        let mut rounds = self.rounds();
        rounds.lines.push(line);
        if !rounds.running {
            rounds.running = true;
            drop(rounds);
            self.runtime.spawn(Arc::clone(self).run());
        }
    }

    /// Rounds until there is nothing to write.
    async fn run(self: Arc<Self>) {
        let mut lines = Vec::new();
        let mut scratch = Vec::new();
        loop {
            {
                let mut rounds = self.rounds();
                if rounds.lines.is_empty() {
                    rounds.running = false;
                    return;
                }
                std::mem::swap(&mut rounds.lines, &mut lines);
            }
            let begun = Instant::now();
            for (index, line) in lines.drain(..).enumerate() {
                line.flush(&mut scratch);
                if index % AT_ONCE == AT_ONCE - 1 {
                    tokio::task::yield_now().await;
                }
            }
            let rest = (begun.elapsed() * REST).min(LONGEST_REST);
            if rest >= SHORTEST_REST {
                tokio::time::sleep(rest).await;
            }
        }
    }
}
