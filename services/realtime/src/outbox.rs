//! What waits to be written to one socket: bounded in bytes. A client that does not read fast
//! enough is cut, so that it costs others neither memory nor time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Message;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// What a waiting message costs beside its bytes.
const OVERHEAD: usize = 64;

/// The writing end; cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Message>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    cut: CancellationToken,
    drained: Arc<Notify>,
}

/// The end that the socket's writer takes from.
#[derive(Debug)]
pub struct Queue {
    messages: mpsc::UnboundedReceiver<Message>,
    queued: Arc<AtomicUsize>,
    drained: Arc<Notify>,
}

/// An outbox that holds at most `limit` bytes.
pub fn outbox(limit: usize) -> (Outbox, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let drained = Arc::new(Notify::new());
    let outbox = Outbox {
        queue: sender,
        queued: Arc::clone(&queued),
        limit,
        cut: CancellationToken::new(),
        drained: Arc::clone(&drained),
    };
    let queue = Queue {
        messages: receiver,
        queued,
        drained,
    };
    (outbox, queue)
}

impl Outbox {
    /// Puts `message` in line. Where there is no room left, the socket is cut instead.
    pub fn send(&self, message: Message) {
        if self.cut.is_cancelled() {
            return;
        }
        let cost = cost(&message);
        let before = self.queued.fetch_add(cost, Ordering::Relaxed);
        if before > 0 && before.saturating_add(cost) > self.limit {
            metrics::counter!("selfdb_realtime_slow_sockets_cut_total").increment(1);
            self.cut.cancel();
            return;
        }
        // A closed queue is a socket that is gone; its reader ends by itself.
        let _ = self.queue.send(message);
    }

    /// Puts the message that ends the socket in line, whatever waits before it.
    pub fn send_last(&self, message: Message) {
        let _ = self.queue.send(message);
    }

    /// Done when less than a quarter of the room is taken, or the socket is gone.
    pub async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            let taken = self.queued.load(Ordering::Relaxed);
            if taken <= self.limit / 4 || self.queue.is_closed() || self.has_overflowed() {
                return;
            }
            tokio::select! {
                () = drained => {}
                () = self.queue.closed() => {}
            }
        }
    }

    /// Done when the socket must be cut because its client reads too slowly.
    pub async fn overflowed(&self) {
        self.cut.cancelled().await;
    }

    /// Whether the socket was cut.
    pub fn has_overflowed(&self) -> bool {
        self.cut.is_cancelled()
    }
}

impl Queue {
    /// Waits for messages, then takes up to `limit` of them into `buffer`; 0 when none will come.
    pub async fn take(&mut self, buffer: &mut Vec<Message>, limit: usize) -> usize {
        self.messages.recv_many(buffer, limit).await
    }

    /// Makes room for what was written.
    pub fn written(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
        self.drained.notify_waiters();
    }
}

/// What `message` takes of an outbox' room.
pub fn cost(message: &Message) -> usize {
    let bytes = match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    };
    bytes + OVERHEAD
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_written_makes_room_and_what_overflows_cuts() {
        let (outbox, mut queue) = outbox(1000);
        let message = || Message::binary(vec![0; 400]);
        outbox.send(message());
        outbox.send(message());
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken, 8).await, 2);
        queue.written(taken.iter().map(cost).sum());
        outbox.send(message());
        outbox.send(message());
        assert!(!outbox.has_overflowed());
        outbox.send(message());
        outbox.overflowed().await;
        assert!(outbox.has_overflowed());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_much_to_send_waits_for_room() {
        let (outbox, mut queue) = outbox(1000);
        outbox.room().await;
        outbox.send(Message::binary(vec![0; 400]));
        let soon = Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, outbox.room()).await.is_err());
        let mut taken = Vec::new();
        queue.take(&mut taken, 8).await;
        queue.written(taken.iter().map(cost).sum());
        outbox.room().await;
        outbox.send(Message::binary(vec![0; 400]));
        drop(queue);
        outbox.room().await;
    }

    #[test]
    fn a_single_large_message_always_fits_an_empty_outbox() {
        let (outbox, _queue) = outbox(10);
        outbox.send(Message::binary(vec![0; 400]));
        assert!(!outbox.has_overflowed());
    }
}
