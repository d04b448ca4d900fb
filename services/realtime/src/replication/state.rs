//! Where the stream stands, for those who wait for it: joins, readiness, metrics.

use std::time::Duration;

use tokio::sync::watch;

/// Where the stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamState {
    /// Not connected yet.
    Starting,
    /// Another process reads the slot.
    Following,
    /// The slot is being made, which waits until every transaction that was open has ended.
    WaitingForTransactions,
    /// The next commit will be seen.
    Streaming {
        /// Counts the times the stream could not be continued without a gap.
        epoch: u64,
    },
    /// Postgres is away, or refused; it is being tried again.
    Disconnected,
}

impl StreamState {
    /// What is missing until the next commit is seen, in words; `None` where nothing is.
    pub fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("the replication stream is starting"),
            Self::Following => Some("another process reads the replication slot"),
            Self::WaitingForTransactions => Some(
                "the replication slot is made when the transactions that were open before have ended",
            ),
            Self::Streaming { .. } => None,
            Self::Disconnected => Some("the replication stream is disconnected from Postgres"),
        }
    }
}

/// A view of the stream's state.
#[derive(Debug, Clone)]
pub struct StreamStatus(watch::Receiver<StreamState>);

impl StreamStatus {
    /// A state that begins as [`StreamState::Starting`], and the view of it.
    pub fn channel() -> (watch::Sender<StreamState>, Self) {
        let (sender, receiver) = watch::channel(StreamState::Starting);
        (sender, Self(receiver))
    }

    /// The state now.
    pub fn now(&self) -> StreamState {
        self.0.borrow().clone()
    }

    /// Waits until the next commit will be seen; the problem in words where that takes longer
    /// than `patience`.
    pub async fn ready(&self, patience: Duration) -> Result<(), &'static str> {
        let mut receiver = self.0.clone();
        let streaming = receiver.wait_for(|state| state.problem().is_none());
        match tokio::time::timeout(patience, streaming).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("the service is stopping"),
            Err(_) => Err(self
                .now()
                .problem()
                .unwrap_or("the replication stream is not steady")),
        }
    }
}
