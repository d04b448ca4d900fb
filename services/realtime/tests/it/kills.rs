//! Events while the service, Postgres, the stream and the client are killed at random: each is
//! heard once.
//!
//! `REALTIME_KILLS_EVENTS=1000000 cargo test -p realtime --test it nothing_is_missed` writes that many
//! rows (nextest would end so long a test), with `REALTIME_KILLS_PROGRAM` another build of the
//! service; with `REALTIME_KILLS_SEED` the faults come in the same order again.

mod cluster;
mod faults;
mod listening;
mod processes;
mod writers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::{Environment as _, ProcessEnvironment};
use testkit::history::{History, Verdict, Violation};
use tokio_util::sync::CancellationToken;

use faults::{Fault, Faults};
use listening::{Listening, Memory};
use processes::Processes;

/// How long the last event may take after the last fault; of many, the client may be far behind.
const PATIENCE: Duration = Duration::from_mins(2);
const PATIENCE_PER_THOUSAND: Duration = Duration::from_millis(500);

/// Between two faults, in a run of few events and in one of many.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_OF_MANY: Duration = Duration::from_secs(2);
const MANY: u64 = 100_000;

/// How often the last event is written.
const LAST_EVERY: Duration = Duration::from_secs(2);

/// What is done, and what of it the client remembers.
struct Plan {
    events: u64,
    faults: &'static [Fault],
    memory: Memory,
    /// How many processes serve the database.
    processes: usize,
}

/// What came of a plan.
struct Outcome {
    verdict: Verdict,
    /// How often the client was told to read anew.
    resyncs: usize,
    /// How often each fault happened.
    faults: Vec<(Fault, usize)>,
}

impl Plan {
    async fn run(self) -> Outcome {
        let processes = Arc::new(Processes::start(self.processes).await);
        let history = Arc::new(History::default());
        let done = CancellationToken::new();
        let listening = Listening::begin(Arc::clone(&processes), self.memory, done.clone()).await;
        let faults = Faults {
            kinds: self.faults,
            pause: if self.events < MANY {
                PAUSE
            } else {
                PAUSE_OF_MANY
            },
            seed: setting("REALTIME_KILLS_SEED").unwrap_or(7),
        };
        let written = done.child_token();
        let faults = tokio::spawn(faults.happen(
            Arc::clone(&processes),
            listening.breaker(),
            written.clone(),
        ));
        writers::write(&processes, &history, self.events, &listening.count()).await;
        written.cancel();
        let faults = faults.await.expect("no panic");
        let mut listening = std::pin::pin!(listening.until_last());
        let last = async {
            // Again and again: a client that forgets may be away for some of them.
            loop {
                writers::write_last(&processes).await;
                let heard = tokio::time::timeout(LAST_EVERY, listening.as_mut()).await;
                if let Ok(heard) = heard {
                    return heard;
                }
            }
        };
        let thousands = u32::try_from(self.events / 1000).unwrap_or(u32::MAX);
        let patience = PATIENCE + PATIENCE_PER_THOUSAND * thousands;
        let heard = tokio::time::timeout(patience, last).await;
        let heard = heard.expect("the last event is heard");
        let there = processes.marks().await;
        let mut verdict = history.check(heard.marks.clone());
        let known: BTreeSet<&String> = heard.marks.iter().collect();
        let missing = there.into_iter().filter(|mark| !known.contains(mark));
        let missing = missing.map(Violation::Lost);
        verdict.violations.extend(missing);
        Outcome {
            verdict,
            resyncs: heard.resyncs,
            faults,
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    ProcessEnvironment.var(name)?.parse().ok()
}
