//! A body that may be large: in memory while it is small, then in a file without a name, which is
//! gone with its last reader.

use std::io;

use axum::body::Body;
use bytes::BytesMut;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

/// What is held in memory at most, in bytes, and one write to the file.
const IN_MEMORY: usize = 1 << 20;
/// One read of the file, in bytes.
const PIECE: usize = 1 << 16;

/// What was written so far.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    memory: BytesMut,
    file: Option<File>,
}

impl Spool {
    /// Adds bytes. Call [`Spool::settle`] now and then.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.memory.extend_from_slice(bytes);
    }

    /// Moves what is too much for memory to the file.
    pub(crate) async fn settle(&mut self) -> io::Result<()> {
        if self.memory.len() < IN_MEMORY {
            return Ok(());
        }
        if self.file.is_none() {
            let made = tokio::task::spawn_blocking(tempfile::tempfile).await;
            self.file = Some(File::from_std(made.map_err(io::Error::other)??));
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory).await?;
            self.memory.clear();
        }
        Ok(())
    }

    /// All that was written.
    pub(crate) async fn into_body(self) -> io::Result<Body> {
        let Some(mut file) = self.file else {
            return Ok(Body::from(self.memory.freeze()));
        };
        file.write_all(&self.memory).await?;
        file.flush().await?;
        file.rewind().await?;
        Ok(Body::from_stream(ReaderStream::with_capacity(file, PIECE)))
    }
}
