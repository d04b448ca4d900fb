//! A response's body on its way from a process: it keeps the request counted until its last piece,
//! and gives the connection back then.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::connections::{Connection, Connections};
use super::gate::Entry;

/// The body of an answer from a process.
#[derive(Debug)]
pub(super) struct WorkerBody {
    body: Incoming,
    hold: Option<Hold>,
}

/// What a body that is not complete holds on to.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) connection: Connection,
    pub(super) connections: Arc<Connections>,
    pub(super) entry: Entry,
}

impl Hold {
    fn release(self) {
        drop(self.entry);
        self.connections.keep(self.connection);
    }
}

impl WorkerBody {
    pub(super) fn new(body: Incoming, hold: Hold) -> Self {
        let mut body = Self {
            body,
            hold: Some(hold),
        };
        body.release_at_end();
        body
    }

    fn release_at_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(hold) = self.hold.take()
        {
            hold.release();
        }
    }
}

impl Body for WorkerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match polled {
            Poll::Ready(None) => {
                if let Some(hold) = self.hold.take() {
                    hold.release();
                }
            }
            // The rest will not come: the connection is of no use any more.
            Poll::Ready(Some(Err(_))) => self.hold = None,
            Poll::Ready(Some(Ok(_))) => self.release_at_end(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
