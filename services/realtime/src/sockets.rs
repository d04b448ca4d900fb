//! What every socket does, whatever is spoken on it: read with a deadline, end when the client is
//! silent, too slow, or the service stops. What is sent goes through its outbox.

mod link;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use bytes::Bytes;
use common::Clock;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::listener::Failed;
use crate::outbox::lanes::Lanes;
use crate::outbox::{Ending, Outbox};
use crate::wire::Wire;
use link::Link;

/// A socket rests most of its life: a small buffer, which grows while a large message passes.
const READ_BYTES: usize = 1024;
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
    lanes: Lanes,
}

/// One open socket; counted until dropped.
#[derive(Debug)]
pub struct OpenSocket(Arc<Sockets>);

impl Sockets {
    /// At most `limit` at once. They are written to on the current runtime.
    pub fn new(limit: usize) -> Self {
        Self {
            open: AtomicUsize::new(0),
            limit,
            stop: CancellationToken::new(),
            lanes: Lanes::new(available_parallelism().map_or(1, usize::from)),
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
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
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
    max_message_bytes: usize,
    max_silence: Duration,
    clock: Arc<dyn Clock>,
}

impl Drive {
    /// What drives one socket, whose messages have at most `max_message_bytes`; and its outbox.
    pub fn new(
        open: OpenSocket,
        max_message_bytes: usize,
        limits: &Limits,
        clock: Arc<dyn Clock>,
    ) -> (Self, Outbox) {
        let outbox = Outbox::new(limits.buffer_bytes, open.0.lanes.next());
        let drive = Self {
            open,
            outbox: outbox.clone(),
            max_message_bytes,
            max_silence: limits.max_silence,
            clock,
        };
        (drive, outbox)
    }

    /// Speaks on `connection` until either side ends it.
    pub async fn run<C>(self, connection: C, mut conversation: impl Conversation)
    where
        C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (read, writer) = tokio::io::split(connection);
        self.outbox.attach(Box::new(writer));
        let link = Link {
            read,
            outbox: self.outbox.clone(),
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(self.max_message_bytes))
            .max_frame_size(Some(self.max_message_bytes));
        let mut stream = WebSocketStream::from_raw_socket(link, Role::Server, Some(config)).await;
        let reader = Reader {
            stop: &self.open.0.stop,
            outbox: &self.outbox,
            max_silence: self.max_silence,
            clock: &*self.clock,
        };
        if let Some((code, reason)) = reader.run(&mut stream, &mut conversation).await {
            tracing::debug!(reason, "socket closed");
            self.outbox.send_last(Wire::close(code, reason));
        }
        let _ = tokio::time::timeout(FAREWELL, self.outbox.written()).await;
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.outbox.close();
    }
}

/// The reading half of a socket.
struct Reader<'a> {
    stop: &'a CancellationToken,
    outbox: &'a Outbox,
    max_silence: Duration,
    clock: &'a dyn Clock,
}

impl Reader<'_> {
    /// Reads until the socket ends; answers what to say, unless the client has ended it.
    async fn run<S>(
        self,
        stream: &mut WebSocketStream<S>,
        conversation: &mut impl Conversation,
    ) -> Option<(u16, &'static str)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
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
                (ending, failures) = self.outbox.attention() => {
                    for failed in failures {
                        conversation.fail(failed);
                    }
                    match ending {
                        Ending::Cut => {
                            return Some((code::TRY_LATER, "messages are read too slowly"));
                        }
                        Ending::Gone => return None,
                        Ending::No | Ending::Last => Ok(()),
                    }
                }
                Some(outcome) = conversation.pending().next() => {
                    conversation.settle(outcome);
                    Ok(())
                }
                message = stream.next() => {
                    heard = Instant::now();
                    match message {
                        None | Some(Err(_)) => return None,
                        Some(Ok(Message::Text(text))) => {
                            conversation.receive(Frame::Text(text)).await
                        }
                        Some(Ok(Message::Binary(bytes))) => {
                            conversation.receive(Frame::Binary(bytes)).await
                        }
                        // The answer to a close is sent before the stream ends.
                        Some(Ok(_)) => Ok(()),
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
