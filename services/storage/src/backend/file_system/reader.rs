//! Reading a version in chunks, one ahead of what is being sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::task::{JoinHandle, spawn_blocking};

use super::blocking;
use crate::backend::{BackendError, Opened, Stamp};
use crate::domain::object::Version;

/// How much is read at once, in bytes: a download holds at most twice as much.
const CHUNK_BYTES: u64 = 128 * 1024;

/// Bytes of a version.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) version: Version,
    pub(super) first: u64,
    pub(super) length: u64,
}

/// What is left to be read of a file.
struct Rest {
    file: Arc<File>,
    offset: u64,
    length: u64,
}

type Read = JoinHandle<io::Result<Bytes>>;

impl Rest {
    /// Reads the next chunk; `None` at the end.
    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let Some((offset, size)) = self.take() else {
            return Ok(None);
        };
        read_at(&self.file, offset, size).map(Some)
    }

    /// Begins to read the next chunk; `None` at the end.
    fn begin(&mut self) -> Option<Read> {
        let (offset, size) = self.take()?;
        let file = Arc::clone(&self.file);
        Some(spawn_blocking(move || read_at(&file, offset, size)))
    }

    fn take(&mut self) -> Option<(u64, usize)> {
        let size = self.length.min(CHUNK_BYTES);
        let offset = self.offset;
        self.offset += size;
        self.length -= size;
        let size = usize::try_from(size).ok()?;
        (size > 0).then_some((offset, size))
    }
}

fn read_at(file: &File, offset: u64, size: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; size];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.into())
}

/// Opens `part` of the file at `path` and reads its first chunk, in one go.
pub(super) async fn open(path: &Path, part: Part) -> Result<Opened, BackendError> {
    let path = path.to_owned();
    let (chunk, rest, stamp) = blocking(move || {
        let (mut rest, stamp) = opened(&path, part)?;
        Ok((rest.read()?, rest, stamp))
    })
    .await?;
    let bytes = match chunk {
        None => stream::empty().boxed(),
        Some(chunk) => stream::once(async { Ok(chunk) })
            .chain(following(rest))
            .boxed(),
    };
    Ok(Opened {
        bytes,
        stamp: Some(stamp),
    })
}

fn opened(path: &Path, part: Part) -> Result<(Rest, Stamp), BackendError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(BackendError::Missing(part.version));
        }
        opened => opened?,
    };
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
    let rest = Rest {
        file: Arc::new(file),
        offset: part.first,
        length: part.length,
    };
    Ok((rest, stamp(&metadata)))
}

fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    let whole = |seconds: i64, nanoseconds: i64| {
        i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
    };
    Stamp {
        modified_ns: whole(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: whole(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

/// The chunks after the first.
fn following(mut rest: Rest) -> impl Stream<Item = Result<Bytes, BackendError>> {
    let begun = rest.begin();
    stream::try_unfold((begun, rest), |(begun, mut rest)| async move {
        let Some(read) = begun else { return Ok(None) };
        let chunk = read.await??;
        let next = rest.begin();
        Ok(Some((chunk, (next, rest))))
    })
}
