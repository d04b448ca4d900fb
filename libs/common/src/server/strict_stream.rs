//! A client's connection, held to unambiguous framing. What a URI has encoded and clients write
//! plainly all the same (curl sends `?select=a->>b` as it stands) is encoded on the way in.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::Framing;

/// `stream`, with what [`Framing`] refuses spoilt before the parser sees it.
#[derive(Debug)]
pub(super) struct StrictStream<S> {
    stream: S,
    framing: Framing,
    /// What was read and had no room yet, once it was encoded.
    spill: VecDeque<u8>,
}

impl<S> StrictStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            framing: Framing::default(),
            spill: VecDeque::new(),
        }
    }

    /// Encodes the bytes at `places` of what was read behind `start`.
    fn encode(&mut self, buffer: &mut ReadBuf<'_>, start: usize, places: &[usize]) {
        let read = buffer.filled()[start..].to_vec();
        buffer.set_filled(start);
        let mut places = places.iter().peekable();
        for (place, byte) in read.into_iter().enumerate() {
            if places.next_if_eq(&&place).is_some() {
                self.spill.extend(format!("%{byte:02X}").into_bytes());
            } else {
                self.spill.push_back(byte);
            }
        }
        self.drain(buffer);
    }

    fn drain(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.spill.len().min(buffer.remaining());
        let bytes: Vec<u8> = self.spill.drain(..count).collect();
        buffer.put_slice(&bytes);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StrictStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.spill.is_empty() {
            self.drain(buffer);
            return Poll::Ready(Ok(()));
        }
        let start = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let plain = self.framing.read(&mut buffer.filled_mut()[start..]);
        if !plain.is_empty() {
            self.encode(buffer, start, &plain);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StrictStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.framing.write(bytes);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        for bytes in slices {
            self.framing.write(bytes);
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    async fn read(text: &str, room: usize) -> String {
        let mut stream = StrictStream::new(text.as_bytes());
        let mut whole = Vec::new();
        let mut part = vec![0; room];
        loop {
            match stream.read(&mut part).await.expect("bytes") {
                0 => return String::from_utf8(whole).expect("text"),
                count => whole.extend_from_slice(&part[..count]),
            }
        }
    }

    #[tokio::test]
    async fn targets_are_encoded_and_nothing_else() {
        let request = "POST /t?a->>b=in.(\"x\",<y>) HTTP/1.1\r\nx: \"<>\"\r\n\
                       content-length: 6\r\n\r\n<\"a\">\nGET /u?c->d HTTP/1.1\r\n\r\n";
        let encoded = "POST /t?a-%3E%3Eb=in.(%22x%22,%3Cy%3E) HTTP/1.1\r\nx: \"<>\"\r\n\
                       content-length: 6\r\n\r\n<\"a\">\nGET /u?c-%3Ed HTTP/1.1\r\n\r\n";
        for room in [1, 2, 7, 64, 4096] {
            assert_eq!(read(request, room).await, encoded, "{room}");
        }
    }
}
