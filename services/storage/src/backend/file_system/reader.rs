//! Reading a version in chunks. What the kernel has in memory is read at once, without another
//! thread; what it would have to fetch, on a thread that may wait for it.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use rustix::fs::{Advice, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::ReadWriteFlags;

use super::blocking;
use super::buffers::Buffers;
use crate::backend::{BackendError, Opened, Outgoing, Stamp};
use crate::domain::object::Version;

/// How much is read at once, in bytes: a download holds that much.
pub(super) const CHUNK_BYTES: usize = 128 * 1024;
/// The smallest read that takes a buffer used before, in bytes.
const BUFFERED_BYTES: usize = 32 * 1024;

/// Bytes of a version.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) version: Version,
    pub(super) first: u64,
    pub(super) length: u64,
}

/// Opens `part` of the file at `path` and reads its first chunk.
pub(super) async fn open(
    path: &Path,
    part: Part,
    buffers: &Buffers,
) -> Result<Opened, BackendError> {
    let file = match open_cached(path) {
        Some(file) => file,
        None => open_waiting(path, part.version).await?,
    };
    let stamp = check(&file, part)?;
    if part.length > CHUNK_BYTES as u64 {
        // It is read from front to back. Only a hint: reading does not depend on it.
        let _ = rustix::fs::fadvise(&file, part.first, None, Advice::Sequential);
    }
    let mut rest = Rest {
        file: Arc::new(file),
        buffers: buffers.clone(),
        offset: part.first,
        length: part.length,
    };
    let bytes = match rest.read().await? {
        None => Outgoing::Whole(Bytes::new()),
        Some(chunk) if rest.length == 0 => Outgoing::Whole(chunk),
        Some(chunk) => {
            let first = stream::once(async { Ok(chunk) });
            Outgoing::Stream(first.chain(following(rest)).boxed())
        }
    };
    Ok(Opened {
        bytes,
        stamp: Some(stamp),
    })
}

/// The file, where finding it needs no disk (see `RESOLVE_CACHED` in openat2(2)).
fn open_cached(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED);
    opened.ok().map(File::from)
}

async fn open_waiting(path: &Path, version: Version) -> Result<File, BackendError> {
    let path = path.to_owned();
    blocking(move || match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(BackendError::Missing(version))
        }
        opened => Ok(opened?),
    })
    .await
}

/// Whether the file is as long as it must be; and what it is like.
fn check(file: &File, part: Part) -> Result<Stamp, BackendError> {
    let metadata = file.metadata()?;
    let found = metadata.len();
    let expected = part.first.saturating_add(part.length);
    if found < expected {
        return Err(BackendError::Truncated {
            version: part.version,
            found,
            expected,
        });
    }
    let whole = |seconds: i64, nanoseconds: i64| {
        i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
    };
    Ok(Stamp {
        modified_ns: whole(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: whole(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    })
}

/// What is left to be read of a file.
struct Rest {
    file: Arc<File>,
    buffers: Buffers,
    offset: u64,
    length: u64,
}

impl Rest {
    /// Reads the next chunk; `None` at the end.
    async fn read(&mut self) -> Result<Option<Bytes>, BackendError> {
        let size = usize::try_from(self.length).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        let chunk = match size {
            0 => return Ok(None),
            1..BUFFERED_BYTES => self.read_into(vec![0; size]).await?.into(),
            _ => self.read_into(self.buffers.take(size)).await?.into(),
        };
        self.offset += size as u64;
        self.length -= size as u64;
        Ok(Some(chunk))
    }

    /// Fills `buffer`.
    async fn read_into<B>(&self, mut buffer: B) -> Result<B, BackendError>
    where
        B: AsMut<[u8]> + Send + 'static,
    {
        let offset = self.offset;
        let done = read_cached(&self.file, buffer.as_mut(), offset);
        if done == buffer.as_mut().len() {
            return Ok(buffer);
        }
        let file = Arc::clone(&self.file);
        blocking(move || {
            let rest = buffer.as_mut().get_mut(done..).unwrap_or_default();
            file.read_exact_at(rest, offset + done as u64)?;
            Ok(buffer)
        })
        .await
    }
}

/// Reads what is in memory, from the beginning of what is wanted on (see `RWF_NOWAIT` in
/// preadv2(2)); answers how many bytes that is. What fails here is tried again by waiting.
fn read_cached(file: &File, buffer: &mut [u8], offset: u64) -> usize {
    let mut buffers = [IoSliceMut::new(buffer)];
    let read = rustix::io::preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT);
    read.unwrap_or_default()
}

/// The chunks after the first.
fn following(rest: Rest) -> impl Stream<Item = Result<Bytes, BackendError>> {
    stream::try_unfold(rest, |mut rest| async move {
        let chunk = rest.read().await?;
        Ok(chunk.map(|chunk| (chunk, rest)))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use uuid::Uuid;

    use super::*;

    async fn read(path: &Path, first: u64, length: u64) -> Vec<u8> {
        let version = Version(Uuid::nil());
        let part = Part {
            version,
            first,
            length,
        };
        let buffers = Buffers::default();
        let opened = open(path, part, &buffers).await.expect("the file");
        let chunks: Vec<Bytes> = opened.bytes.try_collect().await.expect("its bytes");
        chunks.concat()
    }

    #[tokio::test]
    async fn bytes_are_the_same_in_memory_and_on_disk() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("file");
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        std::fs::write(&path, &bytes).expect("a file");
        let file = File::open(&path).expect("the file");
        for (first, length) in [(0, bytes.len()), (5, 0), (7, 200_000), (999_999, 1)] {
            let expected = bytes.get(first..first + length).expect("a part");
            let (first, length) = (first as u64, length as u64);
            assert!(read(&path, first, length).await == expected, "in memory");
            file.sync_all().expect("on disk");
            let forgotten = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
            forgotten.expect("out of memory");
            assert!(read(&path, first, length).await == expected, "on disk");
        }
    }
}
