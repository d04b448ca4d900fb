//! What clients may take.

pub mod keys;

pub use keys::{KeySocket, Keys};

use std::time::Duration;

use tokio::time::Instant;

/// What clients may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sockets at once.
    pub max_clients: usize,
    /// Channels (or subscriptions) of one socket.
    pub max_channels: usize,
    /// Joins of one socket in a second.
    pub joins_per_second: u32,
    /// Messages of one socket in a second, joins and heartbeats apart.
    pub events_per_second: u32,
    /// Sockets at once of one key: of a user, or of whoever has no user.
    pub key_clients: usize,
    /// Joins of one key in a second, over all its sockets.
    pub key_joins_per_second: u32,
    /// Messages of one key in a second, over all its sockets and requests.
    pub key_events_per_second: u32,
    /// One message from a client, in bytes.
    pub max_message_bytes: usize,
    /// The rows of one change, in bytes; a larger change is sent without them.
    pub max_event_bytes: usize,
    /// What may wait to be written to one socket, in bytes.
    pub buffer_bytes: usize,
    /// How long a socket may be silent.
    pub max_silence: Duration,
}

/// Counts what happens within seconds.
#[derive(Debug)]
pub struct Rate {
    limit: u32,
    since: Instant,
    count: u32,
}

impl Rate {
    /// At most `limit` a second.
    pub fn per_second(limit: u32) -> Self {
        Self {
            limit,
            since: Instant::now(),
            count: 0,
        }
    }

    /// Counts one; whether it is within the limit.
    pub fn admit(&mut self) -> bool {
        self.admit_many(1)
    }

    /// Counts `count`; whether they are within the limit.
    pub fn admit_many(&mut self, count: u32) -> bool {
        let now = Instant::now();
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            self.since = now;
            self.count = 0;
        }
        self.count = self.count.saturating_add(count);
        self.count <= self.limit
    }

    /// Whether nothing was counted for a second.
    pub fn rests(&self) -> bool {
        self.since.elapsed() >= Duration::from_secs(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_later_there_is_room_again() {
        let mut rate = Rate::per_second(2);
        assert_eq!(
            [rate.admit(), rate.admit(), rate.admit()],
            [true, true, false]
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(rate.admit());
    }
}
