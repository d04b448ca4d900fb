//! `selfdb storage migrate`: copies every version to the other backend, checking its hash on the
//! way. What is there already is passed over, so that a run that was cut off goes on where it was,
//! and a second run brings what came meanwhile.

use std::collections::HashSet;

use common::{BoxError, Clock as _, SystemClock};
use futures_util::TryStreamExt as _;
use pg::PoolOptions;
use time::Duration;

use crate::backend::ObjectStore;
use crate::body::BodyError;
use crate::config::{Backend, Config};
use crate::domain::object::Version;
use crate::store::versions::{self, Kept};

/// How many versions one query brings.
const BATCH: i64 = 500;

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Versions looked at.
    pub seen: u64,
    /// Versions there are.
    pub total: u64,
    /// Versions copied.
    pub copied: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Versions whose bytes are missing or damaged, and were not copied.
    pub broken: u64,
}

/// Copies everything to `to`; `progress` is told after each version.
pub async fn run(
    config: &Config,
    to: Backend,
    mut progress: impl FnMut(Progress),
) -> Result<Progress, BoxError> {
    let from = match to {
        Backend::File => Backend::S3,
        Backend::S3 => Backend::File,
    };
    let owner = pg::pool(&config.owner, &PoolOptions::new("selfdb-migrate", 2));
    let installation = versions::installation(&owner).await?;
    let place = |backend| {
        let place = config.place(backend);
        place.ok_or("STORAGE_S3_BUCKET and its keys say where the S3 server is: they are not set")
    };
    let source = place(from)?.open(installation).await?;
    let target = place(to)?.open(installation).await?;
    let mut connection = owner.acquire().await?;
    let (total, _) = versions::totals(&mut connection).await?;
    let mut state = Progress {
        total: u64::try_from(total).unwrap_or_default(),
        ..Progress::default()
    };
    let mut there = There::default();
    let mut after = String::new();
    loop {
        let (batch, last) = versions::kept(&mut connection, &after, BATCH).await?;
        for kept in &batch {
            if !there.has(&*target, kept.version).await? {
                copy(&*source, &*target, kept, &mut state).await?;
            }
            state.seen += 1;
            progress(state);
        }
        match last {
            Some(last) => after = last,
            None => return Ok(state),
        }
    }
}

/// What the target has of the shard that is being copied: versions come in order.
#[derive(Default)]
struct There {
    shard: Option<u8>,
    versions: HashSet<Version>,
}

impl There {
    async fn has(&mut self, target: &dyn ObjectStore, version: Version) -> Result<bool, BoxError> {
        let [shard, ..] = version.0.into_bytes();
        if self.shard != Some(shard) {
            let cutoff = SystemClock.now() + Duration::DAY;
            self.versions = target.list(shard, cutoff).await?.into_iter().collect();
            self.shard = Some(shard);
        }
        Ok(self.versions.contains(&version))
    }
}

async fn copy(
    source: &dyn ObjectStore,
    target: &dyn ObjectStore,
    kept: &Kept,
    state: &mut Progress,
) -> Result<(), BoxError> {
    let Some(size) = kept.size else {
        // Noted by an upload whose bytes are not there yet: a second run brings them.
        return Ok(());
    };
    let opened = match source.get(kept.version, 0, size).await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(version = %kept.version, %error, "not copied");
            state.broken += 1;
            return Ok(());
        }
    };
    let bytes = opened
        .bytes
        .map_err(|error| BodyError::Unreadable(Box::new(error)));
    let stored = target.put(kept.version, Box::pin(bytes)).await?;
    if kept
        .sha256
        .is_some_and(|expected| expected != stored.sha256)
    {
        target.delete(kept.version).await?;
        tracing::error!(version = %kept.version, "not copied: its bytes are damaged");
        state.broken += 1;
        return Ok(());
    }
    state.copied += 1;
    state.bytes += stored.size;
    Ok(())
}
