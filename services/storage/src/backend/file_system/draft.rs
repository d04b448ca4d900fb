//! A file while it is written, gone unless it is finished; and what its bytes hash to, which is
//! found out at the same time on another thread.

use std::fs::File;
use std::io::Write as _;

use bytes::Bytes;
use futures_util::StreamExt as _;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::layout::{self, Layout};
use crate::backend::{BackendError, Incoming};
use crate::body::BodyError;
use crate::domain::object::{Stored, Version};

/// How much is gathered before it is written, in bytes: an upload holds at most twice as much.
const BATCH_BYTES: usize = 256 * 1024;

/// Bytes to be written at once.
pub(super) struct Batch {
    pub(super) chunks: Vec<Bytes>,
    pub(super) is_last: bool,
}

/// Takes the next [`BATCH_BYTES`] of `body`, or what is left of it.
pub(super) async fn gather(body: &mut Incoming<'_>) -> Result<Batch, BodyError> {
    let mut chunks = Vec::new();
    let mut size = 0;
    while size < BATCH_BYTES {
        let Some(chunk) = body.next().await else {
            return Ok(Batch {
                chunks,
                is_last: true,
            });
        };
        let chunk = chunk?;
        size += chunk.len();
        chunks.push(chunk);
    }
    Ok(Batch {
        chunks,
        is_last: false,
    })
}

/// What the bytes so far hash to.
#[derive(Default)]
pub(super) struct Hashes {
    sha256: Sha256,
    md5: Md5,
    size: u64,
}

impl Hashes {
    /// Takes in what follows.
    pub(super) fn update(mut self, chunks: &[Bytes]) -> Self {
        for chunk in chunks {
            self.sha256.update(chunk);
            self.md5.update(chunk);
            self.size += chunk.len() as u64;
        }
        self
    }

    /// What is to be known of all of them.
    pub(super) fn stored(self) -> Stored {
        Stored {
            size: self.size,
            sha256: self.sha256.finalize().into(),
            md5: self.md5.finalize().into(),
        }
    }
}

/// A version being written. Dropped before [`Draft::finish`], it leaves nothing.
pub(super) struct Draft {
    layout: Layout,
    version: Version,
    file: Option<File>,
}

impl Draft {
    /// A draft of `version` with nothing on disk yet.
    pub(super) fn new(layout: Layout, version: Version) -> Self {
        Self {
            layout,
            version,
            file: None,
        }
    }

    /// Writes `chunks` at the end.
    pub(super) fn append(mut self, chunks: &[Bytes]) -> Result<Self, BackendError> {
        if self.file.is_none() {
            self.file = Some(self.layout.create_draft(self.version)?);
        }
        for chunk in chunks {
            if let Some(file) = &mut self.file {
                file.write_all(chunk)?;
            }
        }
        Ok(self)
    }

    /// Makes it the version's bytes, durably.
    pub(super) fn finish(mut self) -> Result<(), BackendError> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        self.layout.publish(self.version)?;
        self.file = None;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.is_some() {
            // What cannot be removed now is swept later.
            let _ = layout::remove(&self.layout.draft(self.version));
        }
    }
}
