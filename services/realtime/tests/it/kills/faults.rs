//! What is killed, and when: at random, in the same order for the same seed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::processes::Processes;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The client's connection is cut.
    Client,
    /// A process of the service is killed with SIGKILL: the leader or the other.
    Service,
    /// The server ends the replication connection.
    Stream,
    /// Postgres is killed with SIGKILL.
    Postgres,
}

pub(super) struct Faults {
    pub(super) kinds: &'static [Fault],
    /// Between two faults there is at least this.
    pub(super) pause: Duration,
    pub(super) seed: u64,
}

impl Faults {
    /// Lets faults happen until `written`, each at least once; answers how often each did.
    pub(super) async fn happen(
        mut self,
        processes: Arc<Processes>,
        client: Arc<Notify>,
        written: CancellationToken,
    ) -> Vec<(Fault, usize)> {
        let mut counts: Vec<(Fault, usize)> = Vec::new();
        for index in 0.. {
            if written.is_cancelled() && index >= self.kinds.len() {
                break;
            }
            let longer = Duration::from_millis(self.random() % 700);
            tokio::time::sleep(self.pause + longer).await;
            let which = usize::try_from(self.random()).unwrap_or(0);
            // Each in turn at first, then at random.
            let place = if index < self.kinds.len() {
                index
            } else {
                which
            };
            let fault = self.kinds[place % self.kinds.len()];
            match fault {
                Fault::Client => client.notify_one(),
                Fault::Service => processes.kill_service(which / 7),
                Fault::Stream => processes.kill_stream().await,
                Fault::Postgres => processes.kill_postgres().await,
            }
            match counts.iter_mut().find(|(found, _)| *found == fault) {
                Some((_, count)) => *count += 1,
                None => counts.push((fault, 1)),
            }
        }
        counts
    }

    /// xorshift64 (Marsaglia, 2003).
    fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed >> 16
    }
}
