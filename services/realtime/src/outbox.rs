//! What waits to be written to one socket: bounded in bytes. A client that does not read fast
//! enough is cut, so that it costs others neither memory nor time.

pub mod lanes;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::Notify;

use crate::listener::Failed;
use crate::wire::Wire;
use lanes::Lane;

/// What waiting frames cost beside their bytes.
const OVERHEAD: usize = 64;
/// Smaller pieces are written together, up to this many bytes.
const WRITE_BYTES: usize = 64 * 1024;
/// An empty line keeps room for so many pieces.
const KEPT_PLACES: usize = 16;

/// The writing side of a socket.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// What is to be told to one socket's client, and to its task; cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox(Arc<Line>);

/// One socket's outbox.
pub(crate) struct Line {
    state: Mutex<State>,
    /// Whether the lane knows that there is something to write.
    listed: AtomicBool,
    /// Whether the connection takes no more for now, or is not there: the lane has nothing to do
    /// with the socket, whatever is sent, until the connection says otherwise.
    parked: AtomicBool,
    limit: usize,
    lane: Arc<Lane>,
    /// Wakes the socket's own task.
    attention: Notify,
    /// Wakes whoever waits for room.
    drained: Notify,
}

struct State {
    waiting: VecDeque<Bytes>,
    /// How much of the first is written.
    written: usize,
    /// What waits, as far as it counts.
    bytes: usize,
    /// The most that one message counts.
    most: usize,
    /// `None` before the socket is there, and after it.
    writer: Option<Writer>,
    ending: Ending,
    failures: Vec<Failed>,
}

/// Whether a socket goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It does.
    No,
    /// Its client reads too slowly.
    Cut,
    /// What waits is the last.
    Last,
    /// The connection is gone.
    Gone,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Outbox {
    /// An outbox that takes messages until `limit` bytes wait, written by `lane`.
    pub fn new(limit: usize, lane: Arc<Lane>) -> Self {
        Self(Arc::new(Line {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                written: 0,
                bytes: 0,
                most: limit / 2,
                writer: None,
                ending: Ending::No,
                failures: Vec::new(),
            }),
            listed: AtomicBool::new(false),
            parked: AtomicBool::new(true),
            limit,
            lane,
            attention: Notify::new(),
            drained: Notify::new(),
        }))
    }

    /// The socket is there: what waits is written to it from now on.
    pub fn attach(&self, writer: Writer) {
        self.0.state().writer = Some(writer);
        self.0.unpark();
    }

    /// Puts `wire` in line, as long as there is room; a long one takes half of the room at most.
    /// Where there is none left, the socket is cut instead.
    pub fn send(&self, wire: Wire) {
        let mut state = self.0.state();
        if state.ending != Ending::No {
            return;
        }
        if state.bytes > self.0.limit {
            metrics::counter!("selfdb_realtime_slow_sockets_cut_total").increment(1);
            state.ending = Ending::Cut;
            drop(state);
            self.0.attention.notify_one();
            self.0.drained.notify_waiters();
            return;
        }
        state.push(wire);
        drop(state);
        self.0.list();
    }

    /// Puts the message that ends the socket in line, whatever waits before it.
    pub fn send_last(&self, wire: Wire) {
        let mut state = self.0.state();
        if state.ending == Ending::Gone {
            return;
        }
        state.ending = Ending::Last;
        state.push(wire);
        drop(state);
        self.0.list();
    }

    /// Done when at most so many bytes wait, or the socket ends.
    async fn at_most(&self, bytes: usize) {
        loop {
            let drained = self.0.drained.notified();
            {
                let state = self.0.state();
                let ends = matches!(state.ending, Ending::Cut | Ending::Gone);
                if state.bytes <= bytes || ends {
                    return;
                }
            }
            drained.await;
        }
    }

    /// Done when less than a quarter of the room is taken, or the socket ends.
    pub async fn room(&self) {
        self.at_most(self.0.limit / 4).await;
    }

    /// Done when everything is written, or nothing more will be.
    pub async fn written(&self) {
        self.at_most(0).await;
    }

    /// The socket's task must end a listener.
    pub fn fail(&self, failed: Failed) {
        self.0.state().failures.push(failed);
        self.0.attention.notify_one();
    }

    /// Waits until there is something for the socket's task: whether the socket ends, and the
    /// listeners to be ended.
    pub async fn attention(&self) -> (Ending, Vec<Failed>) {
        self.0.attention.notified().await;
        let mut state = self.0.state();
        (state.ending, std::mem::take(&mut state.failures))
    }

    /// Lets go of the socket and of what waits.
    pub fn close(&self) {
        self.0.gone(&mut self.0.state());
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the lane write what waits, if the connection takes it.
    fn list(self: &Arc<Self>) {
        if !self.parked.load(Ordering::Acquire) && !self.listed.swap(true, Ordering::AcqRel) {
            self.lane.push(Arc::clone(self));
        }
    }

    /// The connection takes more.
    fn unpark(self: &Arc<Self>) {
        self.parked.store(false, Ordering::Release);
        self.list();
    }

    fn gone(&self, state: &mut State) {
        state.ending = Ending::Gone;
        state.writer = None;
        state.waiting = VecDeque::new();
        state.written = 0;
        state.bytes = 0;
        self.attention.notify_one();
        self.drained.notify_waiters();
    }

    /// Writes what waits as far as the connection takes it; where it takes no more, the socket is
    /// parked until it does. Small pieces are put together in `scratch`.
    fn flush(self: &Arc<Self>, scratch: &mut Vec<u8>) {
        // Before looking: whatever comes after this is listed anew.
        self.listed.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(self));
        let mut context = Context::from_waker(&waker);
        let mut state = self.state();
        while !state.waiting.is_empty() {
            // Before writing: the connection may say at once that it takes more.
            self.parked.store(true, Ordering::Release);
            let written = state.write(&mut context, scratch);
            if written.is_ready() {
                self.parked.store(false, Ordering::Release);
            }
            match written {
                Poll::Pending => break,
                Poll::Ready(Ok(count @ 1..)) => state.advance(count),
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.gone(&mut state);
                    return;
                }
            }
        }
        if state.waiting.is_empty() && state.waiting.capacity() > KEPT_PLACES {
            state.waiting = VecDeque::new();
        }
        drop(state);
        self.drained.notify_waiters();
    }
}

impl Wake for Line {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }
}

impl State {
    fn write(
        &mut self,
        context: &mut Context<'_>,
        scratch: &mut Vec<u8>,
    ) -> Poll<std::io::Result<usize>> {
        let (Some(writer), Some(first)) = (&mut self.writer, self.waiting.front()) else {
            return Poll::Pending;
        };
        let mut writer = Pin::new(writer);
        let first = first.get(self.written..).unwrap_or_default();
        if self.waiting.len() == 1 || first.len() >= WRITE_BYTES {
            return writer.as_mut().poll_write(context, first);
        }
        scratch.clear();
        scratch.extend_from_slice(first);
        for piece in self.waiting.iter().skip(1) {
            if scratch.len() + piece.len() > WRITE_BYTES {
                break;
            }
            scratch.extend_from_slice(piece);
        }
        writer.as_mut().poll_write(context, scratch)
    }

    fn cost(&self, length: usize) -> usize {
        length.min(self.most) + OVERHEAD
    }

    fn push(&mut self, wire: Wire) {
        self.bytes += self.cost(wire.len());
        self.waiting.push_back(wire.into_bytes());
    }

    /// Takes what is written, `count` bytes more, out of the line.
    fn advance(&mut self, count: usize) {
        self.written += count;
        while let Some(length) = self.waiting.front().map(Bytes::len)
            && length <= self.written
        {
            self.written -= length;
            self.bytes = self.bytes.saturating_sub(self.cost(length));
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
