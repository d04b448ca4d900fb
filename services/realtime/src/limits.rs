//! What one client may take.

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
        let now = Instant::now();
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            self.since = now;
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.count <= self.limit
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
