//! The body of an answer on its way from a process. Its connection is kept when it ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::net::UnixStream;

use super::Connections;
use super::head::Framing;
use super::wire::Wire;

/// What follows the head of an answer.
#[derive(Debug)]
pub(in super::super) struct AnswerBody {
    framing: Framing,
    /// `None` once all of the body was taken.
    wire: Option<Wire>,
    /// Where the connection goes then; `None` where it is of no further use.
    connections: Option<Arc<Connections>>,
}

/// A connection that speaks another protocol from now on.
#[derive(Debug)]
pub(in super::super) struct Switched {
    pub(in super::super) stream: UnixStream,
    /// What was read from it already.
    pub(in super::super) first: BytesMut,
}

impl AnswerBody {
    pub(super) fn new(wire: Wire, framing: Framing, connections: Option<Arc<Connections>>) -> Self {
        let mut body = Self {
            framing,
            wire: Some(wire),
            connections,
        };
        if matches!(body.framing, Framing::Length(0)) {
            body.end();
        }
        body
    }

    /// The whole body, where all of it is here already: most are short.
    pub(in super::super) fn take_whole(&mut self) -> Option<Bytes> {
        let Some(wire) = &mut self.wire else {
            return Some(Bytes::new());
        };
        let Framing::Length(length) = self.framing else {
            return None;
        };
        let length = usize::try_from(length).ok()?;
        let whole = (wire.buffer.len() >= length).then(|| wire.buffer.split_to(length).freeze())?;
        self.end();
        Some(whole)
    }

    /// The connection, where the answer was a change of protocol.
    pub(in super::super) fn into_switched(self) -> Option<Switched> {
        let (stream, first) = match self.framing {
            Framing::Switched => self.wire?.into_parts()?,
            Framing::Length(_) | Framing::Chunked(_) | Framing::Close => return None,
        };
        Some(Switched { stream, first })
    }

    fn end(&mut self) {
        if let (Some(wire), Some(connections)) = (self.wire.take(), self.connections.take()) {
            connections.keep(wire);
        }
        self.framing = Framing::Length(0);
    }

    /// Takes a piece of what was read; `None` where there is none.
    fn take(&mut self) -> io::Result<Option<Bytes>> {
        let Some(wire) = &mut self.wire else {
            return Ok(None);
        };
        let piece = match &mut self.framing {
            Framing::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX);
                let piece = wire.buffer.split_to(here.min(wire.buffer.len())).freeze();
                *left -= u64::try_from(piece.len()).unwrap_or(*left);
                (!piece.is_empty()).then_some(piece)
            }
            Framing::Chunked(chunks) => chunks.next(&mut wire.buffer)?,
            Framing::Close | Framing::Switched => {
                let piece = wire.buffer.split().freeze();
                (!piece.is_empty()).then_some(piece)
            }
        };
        Ok(piece)
    }

    fn has_ended(&self) -> bool {
        match &self.framing {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(chunks) => chunks.is_at_end(),
            Framing::Close | Framing::Switched => false,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = &mut *self;
        loop {
            let piece = body.take()?;
            if body.has_ended() {
                body.end();
            }
            if let Some(piece) = piece {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Some(wire) = &mut body.wire else {
                return Poll::Ready(None);
            };
            if ready!(wire.poll_read(context))? == 0 {
                body.wire = None;
                return Poll::Ready(match body.framing {
                    Framing::Close => None,
                    Framing::Length(_) | Framing::Chunked(_) | Framing::Switched => {
                        Some(Err(io::ErrorKind::UnexpectedEof.into()))
                    }
                });
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.wire.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.framing {
            Framing::Length(left) => SizeHint::with_exact(*left),
            Framing::Chunked(_) | Framing::Close | Framing::Switched => SizeHint::default(),
        }
    }
}
