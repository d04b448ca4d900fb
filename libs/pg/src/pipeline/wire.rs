//! A socket with its buffers. All progress is kept here, never in a future: whatever is dropped
//! half-way can be taken up again.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, BytesMut};
use postgres_protocol::message::backend::Message;
use tokio::io::AsyncWrite as _;
use tokio_util::io::{poll_read_buf, poll_write_buf};

use super::frame::{self, Frame};
use super::socket::Socket;

/// Room for one read. Postgres itself sends at most 8 KiB at once.
const READ_BYTES: usize = 16 * 1024;
/// Buffers that have grown beyond this are given back after the exchange that needed them.
const KEPT_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    input: BytesMut,
    /// What is still to be sent.
    pub(super) output: BytesMut,
    flushed: bool,
    /// Sending failed; reading goes on, as the server may have said why.
    send_error: Option<io::Error>,
    received: usize,
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            input: BytesMut::new(),
            output: BytesMut::new(),
            flushed: true,
            send_error: None,
            received: 0,
        }
    }

    /// The next frame among what was read; `None` asks for [`Wire::transfer`].
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        frame::next(&mut self.input)
    }

    /// Sends what is to be sent until something has been read. Both go on at once, so that two
    /// full pipes never wait for each other. Cancel safe.
    pub(super) async fn transfer(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_transfer(cx)).await
    }

    /// The next message, of a stream that has no rows in it. Cancel safe.
    pub(super) async fn message(&mut self) -> io::Result<Message> {
        loop {
            match self.next()? {
                Some(Frame::Message(message)) => return Ok(message),
                Some(Frame::Rows(..)) => {}
                None => self.transfer().await?,
            }
        }
    }

    /// Reads what has arrived by now, without waiting: `false` where nothing has.
    pub(super) fn read_arrived(&mut self) -> io::Result<bool> {
        let mut context = Context::from_waker(Waker::noop());
        match self.poll_transfer(&mut context) {
            Poll::Ready(read) => read.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }

    fn poll_transfer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.send_error.is_none()
            && let Poll::Ready(Err(error)) = self.poll_send(cx)
        {
            self.send_error = Some(error);
        }
        self.input.reserve(READ_BYTES);
        let read = poll_read_buf(Pin::new(&mut self.socket), cx, &mut self.input);
        Poll::Ready(match ready!(read) {
            Ok(0) => Err(self.send_error.take().unwrap_or_else(ended)),
            Ok(read) => {
                self.received += read;
                Ok(())
            }
            Err(error) => Err(self.send_error.take().unwrap_or(error)),
        })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.output.has_remaining() {
            self.flushed = false;
            ready!(poll_write_buf(
                Pin::new(&mut self.socket),
                cx,
                &mut self.output
            ))?;
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether everything has been handed to the kernel.
    pub(super) fn is_sent(&self) -> bool {
        self.flushed && self.output.is_empty() && self.send_error.is_none()
    }

    /// Ends an exchange: forgets buffers that grew large.
    pub(super) fn rest(&mut self) {
        if self.received > KEPT_BYTES {
            self.input = BytesMut::from(&*self.input);
        }
        if self.output.is_empty() && self.output.capacity() > KEPT_BYTES {
            self.output = BytesMut::new();
        }
        self.received = 0;
    }
}

fn ended() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the server closed the connection",
    )
}
