//! Connections to a service that notice at once when the service has closed them.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tower::Service;

/// Connects as an [`HttpConnector`] does.
#[derive(Debug, Clone)]
pub(super) struct AttentiveConnector(pub(super) HttpConnector);

/// A connection that is asked itself whether the other side has closed it, whenever nothing is
/// known to be there to be read.
///
/// A runtime learns of that only when it next looks at its sockets, and under load writes a request
/// to a connection that was closed long before. HTTP looks for something to read before it takes a
/// request: told of the end then, it leaves the request unsent, for another connection to take.
#[derive(Debug)]
pub(super) struct AttentiveStream(TokioIo<TcpStream>);

impl Service<Uri> for AttentiveConnector {
    type Response = AttentiveStream;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<AttentiveStream, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move { Ok(AttentiveStream(connecting.await?)) })
    }
}

impl Connection for AttentiveStream {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

impl AttentiveStream {
    /// Whether the other side has closed, with nothing left to be read.
    fn has_ended(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        match SockRef::from(self.0.inner()).peek(&mut byte) {
            Ok(read) => read == 0,
            Err(error) => !matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ),
        }
    }
}

impl Read for AttentiveStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.0).poll_read(context, buffer);
        if polled.is_pending() && self.has_ended() {
            // Nothing was written to the buffer: the end.
            return Poll::Ready(Ok(()));
        }
        polled
    }
}

impl Write for AttentiveStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, buffers)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use hyper::rt::ReadBuf;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn an_end_is_noticed_before_the_runtime_looks() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (mut theirs, _) = listener.accept().expect("a connection");
        let mut stream = AttentiveStream(TokioIo::new(stream));
        let mut memory = [0; 8];
        let mut read = |stream: &mut AttentiveStream| {
            let mut buffer = ReadBuf::new(&mut memory);
            let mut context = Context::from_waker(std::task::Waker::noop());
            let polled = Pin::new(stream).poll_read(&mut context, buffer.unfilled());
            (polled.is_ready(), buffer.filled().len())
        };
        assert_eq!(read(&mut stream), (false, 0));
        // Nothing is awaited from here on: the runtime does not look at its sockets.
        drop(stream.0.inner().try_write(b"x"));
        let mut byte = [0];
        theirs.read_exact(&mut byte).expect("a byte");
        assert_eq!(read(&mut stream), (false, 0));
        drop(theirs);
        assert_eq!(read(&mut stream), (true, 0));
    }
}
