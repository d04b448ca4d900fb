//! The head of an answer (RFC 9112, sections 4 to 6).

use std::io;

use bytes::{Buf as _, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::answer::AnswerBody;
use super::chunks::Chunks;

/// Status line and headers together: beyond it a function does not answer, it attacks.
const MOST_BYTES: usize = 256 * 1024;
const MOST_HEADERS: usize = 256;
/// Where a head ends.
const END: &[u8] = b"\n\r\n";

/// What an answer says before its body.
#[derive(Debug)]
pub(super) struct Head {
    status: StatusCode,
    headers: HeaderMap,
    /// Whether it is of HTTP/1.1, not 1.0.
    is_recent: bool,
}

/// Where a body ends.
#[derive(Debug)]
pub(super) enum Framing {
    /// After so many bytes more.
    Length(u64),
    Chunked(Chunks),
    /// Where the connection does.
    Close,
    /// What follows is another protocol.
    Switched,
}

/// Takes the head out of `buffer`, once it is whole. `seen` is how much of the buffer was looked at
/// before, so that a head which comes byte by byte is not read over and over.
pub(super) fn take(buffer: &mut BytesMut, seen: &mut usize) -> io::Result<Option<Head>> {
    let from = seen.saturating_sub(END.len() - 1);
    let fresh = buffer.get(from..).unwrap_or_default();
    let may_end = fresh.windows(END.len()).any(|window| window == END);
    *seen = buffer.len();
    if !may_end {
        return if buffer.len() > MOST_BYTES {
            Err(invalid("a head that does not end"))
        } else {
            Ok(None)
        };
    }
    let mut lines = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut lines);
    let length = match parsed.parse(buffer).map_err(invalid)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let status = parsed.code.unwrap_or_default();
    let status = StatusCode::from_u16(status).map_err(invalid)?;
    let is_recent = parsed.version == Some(1);
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for line in parsed.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(invalid)?;
        let value = HeaderValue::from_bytes(line.value).map_err(invalid)?;
        headers.try_append(name, value).map_err(invalid)?;
    }
    buffer.advance(length);
    *seen = 0;
    Ok(Some(Head {
        status,
        headers,
        is_recent,
    }))
}

fn invalid(error: impl Into<common::BoxError>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Head {
    /// Whether another head follows: this one tells of progress.
    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }

    /// Where the body ends of this answer, to a request for the head alone or not (RFC 9112,
    /// section 6.3).
    pub(super) fn framing(&self, asked_for_head: bool) -> io::Result<Framing> {
        if self.status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Framing::Switched);
        }
        let is_bare = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&self.status);
        if asked_for_head || is_bare {
            return Ok(Framing::Length(0));
        }
        if self.headers.contains_key(TRANSFER_ENCODING) {
            let mut codings = self.headers.get_all(TRANSFER_ENCODING).iter();
            let last = codings.next_back().map(HeaderValue::as_bytes);
            let chunked = last.is_some_and(|last| {
                let last = last.rsplit(|byte| *byte == b',').next();
                last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
            });
            return Ok(if chunked {
                Framing::Chunked(Chunks::default())
            } else {
                Framing::Close
            });
        }
        let mut lengths = self.headers.get_all(CONTENT_LENGTH).iter();
        let Some(length) = lengths.next() else {
            return Ok(Framing::Close);
        };
        if lengths.any(|other| other != length) {
            return Err(invalid("two lengths"));
        }
        let text = length.to_str().map_err(invalid)?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let length = text.parse().ok().filter(|_| is_number);
        length
            .map(Framing::Length)
            .ok_or_else(|| invalid("a length that is no number"))
    }

    /// Whether the connection may be used again.
    pub(super) fn keeps_alive(&self) -> bool {
        let options = self.headers.get_all(CONNECTION).iter();
        let closes = options
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
        self.is_recent && !closes
    }

    pub(super) fn into_response(self, body: AnswerBody) -> Response<AnswerBody> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
