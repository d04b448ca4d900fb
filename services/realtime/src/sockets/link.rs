//! What the WebSocket protocol is spoken over: it reads from the connection; what it answers by
//! itself (pongs, the end of a close) goes the way of everything else that is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::outbox::Outbox;
use crate::wire::Wire;

/// A connection's reading side, and the outbox of its socket.
pub(super) struct Link<R> {
    pub(super) read: R,
    pub(super) outbox: Outbox,
}

impl<R: AsyncRead + Unpin> AsyncRead for Link<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(context, buffer)
    }
}

impl<R: Unpin> AsyncWrite for Link<R> {
    /// Whole frames: all that is handed over is taken.
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        frames: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.outbox
            .send(Wire::framed(Bytes::copy_from_slice(frames)));
        Poll::Ready(Ok(frames.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
