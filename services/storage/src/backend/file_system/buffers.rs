//! Buffers that downloads read into, used again and again: the kernel has to find and clear the
//! pages of a fresh one, which costs as much as reading into it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::reader::CHUNK_BYTES;

/// How many are kept while nobody needs them: 4 MiB.
const KEPT: usize = 32;

/// The buffers that nobody uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer in use. It goes back where it came from.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    home: Buffers,
}

impl Buffers {
    /// One of `length` bytes, at most [`CHUNK_BYTES`], that hold anything: all are to be written.
    pub(super) fn take(&self, length: usize) -> Buffer {
        let kept = self.kept().pop();
        Buffer {
            bytes: kept.unwrap_or_else(|| vec![0; CHUNK_BYTES]),
            length: length.min(CHUNK_BYTES),
            home: self.clone(),
        }
    }

    /// Nothing here panics while it holds the lock.
    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Self {
        Self::from_owner(buffer)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = self.home.kept();
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_the_last_of_its_bytes_is_dropped() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(3);
        buffer.as_mut().copy_from_slice(b"abc");
        let bytes = Bytes::from(buffer);
        let part = bytes.slice(1..);
        drop(bytes);
        assert!(buffers.kept().is_empty());
        assert_eq!(part, "bc");
        drop(part);
        assert_eq!(buffers.kept().len(), 1);
        assert_eq!(buffers.take(2).as_ref(), b"ab");
        let many: Vec<Buffer> = (0..2 * KEPT).map(|_| buffers.take(1)).collect();
        drop(many);
        assert_eq!(buffers.kept().len(), KEPT);
    }
}
