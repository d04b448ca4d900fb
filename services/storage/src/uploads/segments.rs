//! A body cut into segments that are each kept on their own: what was kept of an upload survives
//! whatever happens to the rest of it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use crate::body::{BodyError, Limited, SharedBody};

/// A body that is read segment by segment.
pub(super) struct Segments {
    body: Limited<SharedBody>,
    carried: Bytes,
    ended: bool,
    failure: Option<BodyError>,
}

impl Segments {
    /// The segments of `body`, which has at most `limit` bytes.
    pub(super) fn new(body: SharedBody, limit: u64) -> Self {
        Self {
            body: body.limited(limit),
            carried: Bytes::new(),
            ended: false,
            failure: None,
        }
    }

    /// Waits for the next byte; answers whether there is one.
    pub(super) async fn more(&mut self) -> bool {
        while self.carried.is_empty() && !self.ended {
            let chunk = self.body.next().await;
            self.take(chunk);
        }
        !self.carried.is_empty()
    }

    /// The next segment: at most `size` bytes. Where the body breaks off it ends, so that what came
    /// is kept; [`Segments::failure`] then says why.
    pub(super) fn next(&mut self, size: u64) -> Segment<'_> {
        Segment {
            source: self,
            left: size,
        }
    }

    /// Why the body broke off, if it did.
    pub(super) fn failure(&mut self) -> Option<BodyError> {
        self.failure.take()
    }

    fn take(&mut self, chunk: Option<Result<Bytes, BodyError>>) {
        match chunk {
            Some(Ok(chunk)) => self.carried = chunk,
            Some(Err(error)) => {
                self.failure = Some(error);
                self.ended = true;
            }
            None => self.ended = true,
        }
    }
}

/// One segment of a body.
pub(super) struct Segment<'a> {
    source: &'a mut Segments,
    left: u64,
}

impl Stream for Segment<'_> {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(None);
        }
        while this.source.carried.is_empty() {
            if this.source.ended {
                return Poll::Ready(None);
            }
            let chunk = std::task::ready!(this.source.body.poll_next_unpin(context));
            this.source.take(chunk);
        }
        let carried = &mut this.source.carried;
        let size = usize::try_from(this.left).map_or(carried.len(), |left| left.min(carried.len()));
        let chunk = carried.split_to(size);
        this.left -= size as u64;
        Poll::Ready(Some(Ok(chunk)))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use common::BoxError;
    use futures_util::stream;

    use super::*;

    async fn text(segment: Segment<'_>) -> String {
        let chunks: Vec<_> = segment.map(Result::unwrap).collect().await;
        String::from_utf8(chunks.concat()).expect("text")
    }

    #[tokio::test]
    async fn chunks_are_cut_where_a_segment_ends() {
        let body = Body::from_stream(stream::iter(["abc", "defg", "h"].map(Ok::<_, BoxError>)));
        let mut segments = Segments::new(SharedBody::new(body), 100);
        let mut seen = Vec::new();
        while segments.more().await {
            seen.push(text(segments.next(3)).await);
        }
        assert_eq!(seen, ["abc", "def", "gh"]);
        assert!(segments.failure().is_none());
    }

    #[tokio::test]
    async fn what_came_before_a_break_is_given_and_the_break_told() {
        let chunks = [Ok("ab"), Ok("c"), Err(BoxError::from("reset"))];
        let body = Body::from_stream(stream::iter(chunks));
        let mut segments = Segments::new(SharedBody::new(body), 100);
        assert!(segments.more().await);
        assert_eq!(text(segments.next(10)).await, "abc");
        assert!(!segments.more().await);
        assert!(matches!(segments.failure(), Some(BodyError::Incomplete(_))));
    }
}
