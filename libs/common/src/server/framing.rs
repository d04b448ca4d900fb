//! Follows where a client's messages begin and end, and refuses the ambiguities that hyper
//! forgives, since a proxy before us may resolve them differently and be made to smuggle a request
//! (RFC 9112, section 11.2): a line of a head that ends without CR, a length next to a transfer
//! coding, either of them twice, a coding other than `chunked`.
//!
//! A refusal spoils the line's end in place. hyper's parser then finds the head invalid, answers
//! 400 and closes, as for any other invalid head.

/// How much of a header line is kept: both names looked for, and their values, are shorter.
const KEPT_BYTES: usize = 64;

/// What stands where a refused line ended: no head may contain it.
const SPOILT: u8 = 0;

/// The framing of one connection's requests.
#[derive(Debug, Default)]
pub(super) struct Framing {
    state: State,
    line: Line,
    head: Head,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a request line or a header.
    #[default]
    Head,
    /// In a body, or in a chunk and the CRLF after it, of which so many bytes are to come.
    Data { left: u64, chunked: bool },
    /// In the line that says how long the next chunk is.
    ChunkSize,
    /// After the last chunk.
    Trailers,
    /// No longer HTTP, or refused: bytes pass as they are.
    Opaque,
}

/// The line being read: its first bytes, how long it is, and how it ends so far.
#[derive(Debug)]
struct Line {
    kept: [u8; KEPT_BYTES],
    length: usize,
    last: u8,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            kept: [0; KEPT_BYTES],
            length: 0,
            last: 0,
        }
    }
}

impl Line {
    fn extend(&mut self, bytes: &[u8]) {
        if let Some(free) = self.kept.get_mut(self.length..) {
            let count = free.len().min(bytes.len());
            free[..count].copy_from_slice(&bytes[..count]);
        }
        self.length += bytes.len();
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    /// The line without its CR, as far as it was kept.
    fn text(&self) -> &[u8] {
        &self.kept[..self.length.saturating_sub(1).min(KEPT_BYTES)]
    }

    fn is_cut(&self) -> bool {
        self.length > KEPT_BYTES
    }
}

/// What the head so far says about the body.
#[derive(Debug, Default, Clone, Copy)]
struct Head {
    lines: usize,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
}

/// A line that is refused.
struct Refused;

impl Framing {
    /// Follows `bytes` as they arrive, spoiling what is refused. Answers the places of bytes that
    /// clients write plainly into the target of a request and a URI has encoded: `<`, `>` and `"`.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Vec<usize> {
        let mut plain = Vec::new();
        let mut at = 0;
        while at < bytes.len() && self.state != State::Opaque {
            if let State::Data { left, chunked } = self.state {
                let available = u64::try_from(bytes.len() - at).unwrap_or(u64::MAX);
                let taken = left.min(available);
                at += usize::try_from(taken).unwrap_or(usize::MAX);
                self.state = data(left - taken, chunked);
                continue;
            }
            let rest = &bytes[at..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            if self.state == State::Head && self.head.lines == 0 {
                let line = &rest[..end.unwrap_or(rest.len())];
                let is_plain = |byte: &u8| matches!(byte, b'<' | b'>' | b'"');
                let places = line.iter().enumerate().filter(|(_, byte)| is_plain(byte));
                plain.extend(places.map(|(place, _)| at + place));
            }
            let Some(end) = end else {
                self.line.extend(rest);
                return plain;
            };
            self.line.extend(&rest[..end]);
            at += end;
            if let Ok(next) = self.end_of_line() {
                self.state = next;
            } else {
                self.state = State::Opaque;
                bytes[at] = SPOILT;
            }
            self.line.length = 0;
            self.line.last = 0;
            at += 1;
        }
        plain
    }

    /// Follows `bytes` as they are answered: after a 101 the connection speaks another protocol.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        const SWITCHING: &[u8] = b"HTTP/1.1 101";
        // Everything that is sent on a WebSocket passes here.
        if !self.head.upgrade || self.state == State::Opaque {
            return;
        }
        let mut windows = bytes.windows(SWITCHING.len());
        if windows.any(|window| window == SWITCHING) {
            self.state = State::Opaque;
        }
    }

    fn end_of_line(&mut self) -> Result<State, Refused> {
        if self.line.last != b'\r' {
            return Err(Refused);
        }
        let is_empty = self.line.length == 1;
        match self.state {
            State::Head if is_empty && self.head.lines == 0 => Ok(State::Head),
            State::Head if is_empty => Ok(self.end_of_head()),
            State::Head => self.header(),
            State::ChunkSize => chunk(self.line.text()),
            State::Trailers if is_empty => Ok(State::Head),
            State::Trailers => Ok(State::Trailers),
            State::Data { .. } | State::Opaque => Ok(self.state),
        }
    }

    fn header(&mut self) -> Result<State, Refused> {
        if self.head.lines == 0 {
            self.head = Head::default();
        }
        self.head.lines += 1;
        let mut parts = self.line.text().splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or(b""), parts.next());
        let value = value.unwrap_or(b"").trim_ascii();
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if self.head.lines == 1 {
            return Ok(State::Head);
        }
        if is(b"upgrade") {
            self.head.upgrade = true;
        }
        if is(b"content-length") || is(b"transfer-encoding") {
            let framed = self.head.length.is_some() || self.head.chunked;
            if framed || self.line.is_cut() {
                return Err(Refused);
            }
            if is(b"content-length") {
                self.head.length = Some(decimal(value)?);
            } else if value.eq_ignore_ascii_case(b"chunked") {
                self.head.chunked = true;
            } else {
                return Err(Refused);
            }
        }
        Ok(State::Head)
    }

    fn end_of_head(&mut self) -> State {
        self.head.lines = 0;
        if self.head.chunked {
            State::ChunkSize
        } else {
            data(self.head.length.unwrap_or(0), false)
        }
    }
}

fn data(left: u64, chunked: bool) -> State {
    match (left, chunked) {
        (0, true) => State::ChunkSize,
        (0, false) => State::Head,
        _ => State::Data { left, chunked },
    }
}

fn decimal(text: &[u8]) -> Result<u64, Refused> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Refused);
    }
    let text = std::str::from_utf8(text).map_err(|_| Refused)?;
    text.parse().map_err(|_| Refused)
}

/// What follows the line `text` that says a chunk's size, in hexadecimal, and maybe extensions.
fn chunk(text: &[u8]) -> Result<State, Refused> {
    let digits = text
        .split(|byte| !byte.is_ascii_hexdigit())
        .next()
        .unwrap_or(b"");
    let digits = std::str::from_utf8(digits).map_err(|_| Refused)?;
    match u64::from_str_radix(digits, 16) {
        Ok(0) => Ok(State::Trailers),
        Ok(size) => Ok(data(size.saturating_add(2), true)),
        Err(_) => Err(Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `text` passes untouched, in one piece and byte by byte.
    fn passes(text: &str) -> bool {
        let mut whole = text.as_bytes().to_vec();
        Framing::default().read(&mut whole);
        let mut framing = Framing::default();
        let mut pieces = text.as_bytes().to_vec();
        for piece in pieces.chunks_mut(1) {
            framing.read(piece);
        }
        assert_eq!(whole, pieces, "{text:?}");
        whole == text.as_bytes()
    }

    #[test]
    fn messages_of_every_framing_pass_one_after_the_other() {
        let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let fixed = "POST / HTTP/1.1\r\nContent-Length: 7\r\nHost: x\r\n\r\na\nb\r\n\nc";
        let chunked = "POST / HTTP/1.1\r\ntransfer-ENCODING:  Chunked \r\n\r\n\
                       3;a=b\r\n\n\n\n\r\nA\r\n0123456\n89\r\n0\r\nX: y\r\n\r\n";
        let long = format!(
            "GET /{} HTTP/1.1\r\nA: {}\r\n\r\n",
            "a".repeat(500),
            "b".repeat(500)
        );
        let text = [
            get, fixed, get, chunked, get, &long, fixed, chunked, chunked, "\r\n", get,
        ];
        assert!(passes(&text.concat()));
        // The control: the same messages make the framing notice what comes after them.
        assert!(!passes(&format!("{}GET / HTTP/1.1\n", text.concat())));
    }

    #[test]
    fn ambiguous_heads_are_spoilt() {
        for headers in [
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            "Content-Length: 4\r\nContent-Length: 4\r\n",
            "Content-Length: 4\r\ncontent-length: 5\r\n",
            "Content-Length: 4, 4\r\n",
            "Content-Length: +4\r\n",
            "Content-Length: 0x4\r\n",
            "Content-Length:\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Host: x\n",
            "Host: x\n\r\n",
        ] {
            assert!(
                !passes(&format!("POST / HTTP/1.1\r\n{headers}\r\n")),
                "{headers:?}"
            );
        }
        assert!(!passes("GET / HTTP/1.1\nHost: x\r\n\r\n"));
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "3\nabc\r\n0\r\n\r\n",
            "x\r\n",
            "fffffffffffffffff\r\n",
            "0\r\nX: y\n\r\n",
        ] {
            assert!(!passes(&format!("{chunked}{body}")), "{body:?}");
        }
    }

    #[test]
    fn a_websocket_is_left_alone_once_it_was_answered() {
        let mut framing = Framing::default();
        let upgrade = b"GET /ws HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        framing.read(&mut upgrade.to_vec());
        framing.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        let mut frame = b"\x82\x01\n\n\n".to_vec();
        framing.read(&mut frame);
        assert_eq!(frame, b"\x82\x01\n\n\n");

        let mut refused = Framing::default();
        refused.read(&mut upgrade.to_vec());
        refused.write(b"HTTP/1.1 401 Unauthorized\r\n\r\n");
        let mut head = b"GET / HTTP/1.1\n".to_vec();
        refused.read(&mut head);
        assert_eq!(head, b"GET / HTTP/1.1\0");
    }
}
