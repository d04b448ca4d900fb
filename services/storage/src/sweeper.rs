//! Deleting bytes that nothing refers to: versions that were replaced or deleted, told by the
//! database; and what a crash left between bytes and row, found by looking.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use common::{BoxError, Clock};
use pg::sqlx::postgres::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::backend::ObjectStore;
use crate::domain::object::Version;
use crate::store::{pending, versions};

/// How many discarded versions one transaction takes.
const BATCH: usize = 200;
/// How often discarded versions are looked for when nobody says there are some: another node's, or
/// those that SQL deleted.
const DISCARDED_EVERY: Duration = Duration::from_mins(1);
/// How long a sweep waits for more after it was told of the first: one transaction does for all.
const GATHERING: Duration = Duration::from_millis(500);
/// How often uploads in parts are given up that took too long.
const EXPIRED_EVERY: Duration = Duration::from_mins(5);
/// How often everything kept is compared with the database.
const ORPHANS_EVERY: Duration = Duration::from_hours(6);
/// How long bytes may be without a row: an upload's last step takes moments, and a draft that is
/// not growing for so long is not being written.
const ORPHAN_AGE: Duration = Duration::from_hours(1);

/// Deletes bytes that nothing refers to.
#[derive(Clone)]
pub struct Sweeper {
    owner: PgPool,
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    discarded: Arc<Notify>,
}

/// What a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Complete versions without an object.
    pub orphans: usize,
    /// Uploads that were never finished.
    pub drafts: usize,
}

impl Sweeper {
    /// A sweeper of `objects` by what `owner`'s database refers to; `discarded` wakes it.
    pub fn new(
        owner: PgPool,
        objects: Arc<dyn ObjectStore>,
        clock: Arc<dyn Clock>,
        discarded: Arc<Notify>,
    ) -> Self {
        Self {
            owner,
            objects,
            clock,
            discarded,
        }
    }

    /// Deletes discarded versions as they come, until `shutdown`.
    pub async fn sweep_discarded_until(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        loop {
            // What was rendered of a version is discarded with it, so there may be more.
            while self.sweep_discarded().await? > 0 {}
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = self.discarded.notified() => {}
                () = tokio::time::sleep(DISCARDED_EVERY) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(GATHERING) => {}
            }
        }
    }

    /// Deletes orphans now and then, until `shutdown`.
    pub async fn sweep_orphans_until(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        loop {
            let swept = self.sweep_orphans().await?;
            if swept != Swept::default() {
                let Swept { orphans, drafts } = swept;
                tracing::info!(orphans, drafts, "deleted bytes that no object refers to");
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(ORPHANS_EVERY) => {}
            }
        }
    }

    /// Gives up uploads in parts that took too long, until `shutdown`.
    pub async fn sweep_expired_until(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        loop {
            if self.sweep_expired().await? > 0 {
                self.discarded.notify_one();
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(EXPIRED_EVERY) => {}
            }
        }
    }

    /// Gives up uploads in parts that took too long; answers how many.
    pub async fn sweep_expired(&self) -> Result<u64, BoxError> {
        let mut connection = self.owner.acquire().await?;
        Ok(pending::delete_expired(&mut connection, self.clock.now()).await?)
    }

    /// Deletes one batch of discarded versions: the bytes first, then the note of them. Answers how
    /// many.
    pub async fn sweep_discarded(&self) -> Result<usize, BoxError> {
        let mut transaction = self.owner.begin().await?;
        let names = versions::lock_discarded(&mut transaction, BATCH).await?;
        if names.is_empty() {
            return Ok(0);
        }
        // A name that is no version has no bytes; one that SQL gave to another row is not discarded.
        let gone: Vec<Version> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let referenced = versions::referenced(&mut transaction, &gone).await?;
        for version in gone.iter().filter(|version| !referenced.contains(version)) {
            self.objects.delete(*version).await?;
        }
        versions::delete_renditions_of(&mut transaction, &names).await?;
        versions::forget(&mut transaction, &names).await?;
        transaction.commit().await?;
        Ok(names.len())
    }

    /// Deletes versions and drafts that are old enough and belong to no object.
    pub async fn sweep_orphans(&self) -> Result<Swept, BoxError> {
        let cutoff = self.clock.now() - ORPHAN_AGE;
        let drafts = self.objects.discard_drafts(cutoff).await?;
        let mut orphans = 0;
        for shard in u8::MIN..=u8::MAX {
            for version in self.orphans(shard).await? {
                self.objects.delete(version).await?;
                orphans += 1;
            }
        }
        Ok(Swept { orphans, drafts })
    }

    /// Counts versions that are old enough and belong to no object.
    pub async fn count_orphans(&self) -> Result<Swept, BoxError> {
        let mut swept = Swept::default();
        for shard in u8::MIN..=u8::MAX {
            swept.orphans += self.orphans(shard).await?.len();
        }
        Ok(swept)
    }

    async fn orphans(&self, shard: u8) -> Result<Vec<Version>, BoxError> {
        let cutoff = self.clock.now() - ORPHAN_AGE;
        let mut candidates = self.objects.list(shard, cutoff).await?;
        let mut referenced = HashSet::new();
        for batch in candidates.chunks(1000) {
            let mut connection = self.owner.acquire().await?;
            referenced.extend(versions::referenced(&mut connection, batch).await?);
        }
        candidates.retain(|version| !referenced.contains(version));
        Ok(candidates)
    }
}
