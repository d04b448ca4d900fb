//! What every socket does, whatever is spoken on it: read with a deadline, write what waits, end
//! when the client is silent, too slow, or the service stops.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use common::Clock;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::listener::Failed;
use crate::outbox::{self, Outbox, Queue};

/// Messages written between two flushes.
const WRITE_BATCH: usize = 64;
/// How long a socket that ends may take to write what waits.
const FAREWELL: Duration = Duration::from_secs(1);

/// WebSocket close codes (RFC 6455, section 7.4.1).
mod code {
    pub(super) const POLICY: u16 = 1008;
    pub(super) const RESTART: u16 = 1012;
    pub(super) const TRY_LATER: u16 = 1013;
}

/// The open sockets of this process.
#[derive(Debug)]
pub struct Sockets {
    open: AtomicUsize,
    limit: usize,
    stop: CancellationToken,
}

/// One open socket; counted until dropped.
#[derive(Debug)]
pub struct OpenSocket(Arc<Sockets>);

impl Sockets {
    /// At most `limit` at once.
    pub fn new(limit: usize) -> Self {
        Self {
            open: AtomicUsize::new(0),
            limit,
            stop: CancellationToken::new(),
        }
    }

    /// Counts one more; `None` where there are too many, or the service stops.
    pub fn open(self: &Arc<Self>) -> Option<OpenSocket> {
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        let socket = OpenSocket(Arc::clone(self));
        metrics::gauge!("selfdb_realtime_sockets").increment(1.0);
        (before < self.limit && !self.stop.is_cancelled()).then_some(socket)
    }

    /// Ends all of them.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("selfdb_realtime_sockets").decrement(1.0);
    }
}

/// What a client sent.
#[derive(Debug)]
pub enum Frame {
    /// Text.
    Text(axum::extract::ws::Utf8Bytes),
    /// Bytes.
    Binary(bytes::Bytes),
}

/// Why a socket is closed by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goodbye(pub &'static str);

/// What is spoken on a socket.
pub trait Conversation: Send {
    /// What work that takes time ends in.
    type Outcome: Send;

    /// Takes what the client sent.
    fn receive(&mut self, frame: Frame) -> impl Future<Output = Result<(), Goodbye>> + Send;

    /// Work under way.
    fn pending(&mut self) -> &mut FuturesUnordered<BoxFuture<'static, Self::Outcome>>;

    /// Takes what a piece of work ended in.
    fn settle(&mut self, outcome: Self::Outcome);

    /// A listener of this socket cannot go on.
    fn fail(&mut self, failed: Failed);

    /// When something of this socket ends, in seconds since 1970.
    fn expires_at(&self) -> Option<i64>;

    /// Ends what has ended by `now`, in seconds since 1970.
    fn expire(&mut self, now: i64) -> Result<(), Goodbye>;
}

/// What a socket is driven with.
pub struct Drive {
    open: OpenSocket,
    outbox: Outbox,
    queue: Queue,
    failures: mpsc::UnboundedReceiver<Failed>,
    max_silence: Duration,
    clock: Arc<dyn Clock>,
}

impl Drive {
    /// What drives one socket, with the ends that its conversation needs.
    pub fn new(
        open: OpenSocket,
        limits: &Limits,
        clock: Arc<dyn Clock>,
    ) -> (Self, Outbox, mpsc::UnboundedSender<Failed>) {
        let (outbox, queue) = outbox::outbox(limits.buffer_bytes);
        let (failed, failures) = mpsc::unbounded_channel();
        let drive = Self {
            open,
            outbox: outbox.clone(),
            queue,
            failures,
            max_silence: limits.max_silence,
            clock,
        };
        (drive, outbox, failed)
    }

    /// Speaks on `socket` until either side ends it.
    pub async fn run(mut self, socket: WebSocket, mut conversation: impl Conversation) {
        let (sink, mut stream) = socket.split();
        let mut writer = std::pin::pin!(write(sink, &mut self.queue));
        let reader = Reader {
            stop: self.open.0.stop.clone(),
            outbox: &self.outbox,
            failures: &mut self.failures,
            max_silence: self.max_silence,
            clock: &*self.clock,
        };
        let goodbye = tokio::select! {
            () = &mut writer => return,
            goodbye = reader.run(&mut stream, &mut conversation) => goodbye,
        };
        if let Some((code, reason)) = goodbye {
            tracing::debug!(reason, "socket closed");
            self.outbox.send_last(Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            })));
            let _ = tokio::time::timeout(FAREWELL, writer).await;
        }
    }
}

/// The reading half of a socket.
struct Reader<'a> {
    stop: CancellationToken,
    outbox: &'a Outbox,
    failures: &'a mut mpsc::UnboundedReceiver<Failed>,
    max_silence: Duration,
    clock: &'a dyn Clock,
}

impl Reader<'_> {
    /// Reads until the socket ends; answers what to say, unless the client has ended it.
    async fn run(
        self,
        stream: &mut SplitStream<WebSocket>,
        conversation: &mut impl Conversation,
    ) -> Option<(u16, &'static str)> {
        let mut heard = Instant::now();
        loop {
            let silent = heard + self.max_silence;
            let deadline = self
                .expiry(conversation)
                .map_or(silent, |expiry| expiry.min(silent));
            let step = tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    return Some((code::RESTART, "the service is restarting"));
                }
                () = self.outbox.overflowed() => {
                    return Some((code::TRY_LATER, "messages are read too slowly"));
                }
                Some(failed) = self.failures.recv() => {
                    conversation.fail(failed);
                    Ok(())
                }
                Some(outcome) = conversation.pending().next() => {
                    conversation.settle(outcome);
                    Ok(())
                }
                message = stream.next() => {
                    heard = Instant::now();
                    match message {
                        None | Some(Err(_) | Ok(Message::Close(_))) => return None,
                        Some(Ok(Message::Text(text))) => {
                            conversation.receive(Frame::Text(text)).await
                        }
                        Some(Ok(Message::Binary(bytes))) => {
                            conversation.receive(Frame::Binary(bytes)).await
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    if heard.elapsed() >= self.max_silence {
                        return Some((code::POLICY, "no heartbeat"));
                    }
                    conversation.expire(self.clock.unix_seconds())
                }
            };
            if let Err(Goodbye(reason)) = step {
                return Some((code::POLICY, reason));
            }
        }
    }

    fn expiry(&self, conversation: &impl Conversation) -> Option<Instant> {
        let left = conversation.expires_at()? - self.clock.unix_seconds();
        Some(Instant::now() + Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }
}

/// Writes what waits, many messages to a flush, until a close frame or an error.
async fn write(mut sink: SplitSink<WebSocket, Message>, queue: &mut Queue) {
    let mut batch = Vec::new();
    while queue.take(&mut batch, WRITE_BATCH).await > 0 {
        let mut bytes = 0;
        for message in batch.drain(..) {
            bytes += outbox::cost(&message);
            let last = matches!(message, Message::Close(_));
            if sink.feed(message).await.is_err() {
                return;
            }
            if last {
                let _ = sink.close().await;
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
        queue.written(bytes);
    }
}
