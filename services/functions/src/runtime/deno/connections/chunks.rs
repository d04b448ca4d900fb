//! The chunked transfer coding, taken apart (RFC 9112, section 7.1). Trailers are left out.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};

/// The longest line of a size or a trailer.
const MOST_LINE_BYTES: usize = 16 * 1024;
/// All trailers together.
const MOST_TRAILER_BYTES: usize = 64 * 1024;

/// Where in a body one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Chunks {
    /// Before the line that says how long the next chunk is.
    #[default]
    Size,
    /// In a chunk, of which so many bytes are to come.
    Data(u64),
    /// Before the line's end that ends a chunk.
    DataEnd,
    /// After the last chunk, with so many bytes of trailers so far.
    Trailers(usize),
    End,
}

impl Chunks {
    pub(super) fn is_at_end(self) -> bool {
        self == Self::End
    }

    /// Takes the next piece out of `buffer`; `None` where the body has ended, or needs more bytes.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        loop {
            match *self {
                Self::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(None);
                    }
                    let here = usize::try_from(left)
                        .unwrap_or(usize::MAX)
                        .min(buffer.len());
                    let rest = left - u64::try_from(here).unwrap_or(left);
                    *self = if rest == 0 {
                        Self::DataEnd
                    } else {
                        Self::Data(rest)
                    };
                    return Ok(Some(buffer.split_to(here).freeze()));
                }
                Self::End => return Ok(None),
                Self::Size | Self::DataEnd | Self::Trailers(_) => {
                    let Some(line) = line(buffer)? else {
                        return Ok(None);
                    };
                    *self = self.after(&line)?;
                }
            }
        }
    }

    /// Where one is after `line`.
    fn after(self, line: &[u8]) -> io::Result<Self> {
        match self {
            Self::Size => match size(line)? {
                0 => Ok(Self::Trailers(0)),
                size => Ok(Self::Data(size)),
            },
            Self::DataEnd if line.is_empty() => Ok(Self::Size),
            Self::Trailers(_) if line.is_empty() => Ok(Self::End),
            Self::Trailers(so_far) if so_far < MOST_TRAILER_BYTES => {
                Ok(Self::Trailers(so_far + line.len()))
            }
            Self::DataEnd | Self::Trailers(_) | Self::Data(_) | Self::End => Err(invalid()),
        }
    }
}

/// Takes a line, without its end, out of `buffer`.
fn line(buffer: &mut BytesMut) -> io::Result<Option<BytesMut>> {
    let end = buffer
        .iter()
        .take(MOST_LINE_BYTES)
        .position(|byte| *byte == b'\n');
    let Some(end) = end else {
        return if buffer.len() < MOST_LINE_BYTES {
            Ok(None)
        } else {
            Err(invalid())
        };
    };
    let mut line = buffer.split_to(end);
    buffer.advance(1);
    match line.last() {
        Some(b'\r') => {
            line.truncate(end - 1);
            Ok(Some(line))
        }
        Some(_) | None => Err(invalid()),
    }
}

/// The size that `line` tells, in hexadecimal; extensions are nobody's here.
fn size(line: &[u8]) -> io::Result<u64> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits.trim_ascii()).map_err(|_| invalid())?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    u64::from_str_radix(digits, 16).map_err(|_| invalid())
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a body that is not in chunks")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `text` holds, given in pieces of `step` bytes, and what is left of it behind the end.
    fn read(text: &[u8], step: usize) -> io::Result<(Vec<u8>, Vec<u8>, bool)> {
        let (mut chunks, mut buffer, mut body) = (Chunks::default(), BytesMut::new(), Vec::new());
        for piece in text.chunks(step) {
            buffer.extend_from_slice(piece);
            while let Some(data) = chunks.next(&mut buffer)? {
                body.extend_from_slice(&data);
            }
        }
        Ok((body, buffer.to_vec(), chunks.is_at_end()))
    }

    #[test]
    fn a_body_is_the_same_in_pieces_of_any_size() {
        let text = b"5\r\nhello\r\nA;a=\"b\"\r\n\r\n012\r\n345\r\n0\r\nx: y\r\n\r\nHTTP";
        for step in 1..text.len() {
            let (body, rest, ended) = read(text, step).expect("a body");
            assert_eq!(body, b"hello\r\n012\r\n345", "{step}");
            assert_eq!((rest.as_slice(), ended), (b"HTTP".as_slice(), true));
        }
        assert_eq!(read(b"5\r\nhel", 3).expect("a part").0, b"hel");
        assert!(!read(b"5\r\nhel", 3).expect("a part").2);
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let endless = vec![b'1'; MOST_LINE_BYTES + 1];
        let trailers = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(MOST_TRAILER_BYTES)].concat();
        for text in [
            b"x\r\n".as_slice(),
            b"5\nhello",
            b"-5\r\n",
            b"+5\r\n",
            b"\r\n",
            b"10000000000000000\r\n",
            b"1\r\nab\r\n",
            &endless,
            &trailers,
        ] {
            assert!(
                read(text, 7).is_err(),
                "{:?}",
                String::from_utf8_lossy(text)
            );
        }
    }
}
