//! Objects as files.
//!
//! ```text
//! <root>/installation            whose store this is
//! <root>/drafts/<version>        being written
//! <root>/objects/<xx>/<version>  complete; xx is the version's first byte
//! ```
//! A file gets its place under `objects/` by a rename after its bytes were synchronised, and counts
//! as kept once that directory was synchronised too. No path ever derives from what a user wrote.

mod buffers;
mod draft;
mod layout;
mod reader;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use time::OffsetDateTime;
use uuid::Uuid;

use self::buffers::Buffers;
use self::draft::{Draft, Hashes, gather};
use self::layout::Layout;
use self::reader::Part;
use super::{BackendError, Incoming, ObjectStore, Opened};
use crate::domain::object::{Stored, Version};

/// An object store in a directory.
#[derive(Debug, Clone)]
pub struct FileSystem {
    layout: Layout,
    buffers: Buffers,
}

impl FileSystem {
    /// The store under `root`, which is made where it does not exist.
    pub async fn open(root: &Path) -> Result<Self, BackendError> {
        let layout = Layout::new(root);
        let prepared = layout.clone();
        blocking(move || Ok(prepared.prepare()?)).await?;
        Ok(Self {
            layout,
            buffers: Buffers::default(),
        })
    }
}

impl ObjectStore for FileSystem {
    fn claim(&self, installation: Uuid) -> BoxFuture<'_, Result<(), BackendError>> {
        let layout = self.layout.clone();
        blocking(move || layout.claim(installation)).boxed()
    }

    fn put<'a>(
        &'a self,
        version: Version,
        mut body: Incoming<'a>,
    ) -> BoxFuture<'a, Result<Stored, BackendError>> {
        async move {
            let mut draft = Draft::new(self.layout.clone(), version);
            let mut hashes = Hashes::default();
            let mut batch = gather(&mut body).await?;
            if batch.is_last {
                // So little is not worth a second thread.
                return blocking(move || {
                    let hashes = hashes.update(&batch.chunks);
                    draft.append(&batch.chunks)?.finish()?;
                    Ok(hashes.stored())
                })
                .await;
            }
            while !batch.is_last {
                let chunks = batch.chunks.clone();
                let (written, hashed, next) = tokio::join!(
                    blocking(move || draft.append(&batch.chunks)),
                    blocking(move || Ok(hashes.update(&chunks))),
                    gather(&mut body)
                );
                (draft, hashes, batch) = (written?, hashed?, next?);
            }
            let chunks = batch.chunks.clone();
            let (finished, hashed) = tokio::join!(
                blocking(move || draft.append(&batch.chunks)?.finish()),
                blocking(move || Ok(hashes.update(&chunks)))
            );
            finished?;
            Ok(hashed?.stored())
        }
        .boxed()
    }

    fn get(
        &self,
        version: Version,
        first: u64,
        length: u64,
    ) -> BoxFuture<'_, Result<Opened, BackendError>> {
        let path = self.layout.object(version);
        let part = Part {
            version,
            first,
            length,
        };
        async move { reader::open(&path, part, &self.buffers).await }.boxed()
    }

    fn copy(&self, from: Version, to: Version) -> BoxFuture<'_, Result<(), BackendError>> {
        let layout = self.layout.clone();
        blocking(move || layout.link(from, to)).boxed()
    }

    fn delete(&self, version: Version) -> BoxFuture<'_, Result<(), BackendError>> {
        let path = self.layout.object(version);
        blocking(move || Ok(layout::remove(&path)?)).boxed()
    }

    fn list(
        &self,
        shard: u8,
        cutoff: OffsetDateTime,
    ) -> BoxFuture<'_, Result<Vec<Version>, BackendError>> {
        let directory = self.layout.shard(shard);
        // The change time, not the modification time: a link to old bytes is a new version.
        blocking(move || older_than(&directory, cutoff, MetadataExt::ctime)).boxed()
    }

    fn discard_drafts(&self, cutoff: OffsetDateTime) -> BoxFuture<'_, Result<usize, BackendError>> {
        let layout = self.layout.clone();
        blocking(move || {
            let drafts = older_than(&layout.drafts(), cutoff, MetadataExt::mtime)?;
            for version in &drafts {
                layout::remove(&layout.draft(*version))?;
            }
            Ok(drafts.len())
        })
        .boxed()
    }
}

fn older_than(
    directory: &Path,
    cutoff: OffsetDateTime,
    time: impl Fn(&std::fs::Metadata) -> i64,
) -> Result<Vec<Version>, BackendError> {
    let mut versions = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let version = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(version) = version else { continue };
        match entry.metadata() {
            Ok(metadata) if time(&metadata) < cutoff.unix_timestamp() => versions.push(version),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(versions)
}

/// Runs file work where it may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    tokio::task::spawn_blocking(work).await?
}
