//! What versions import from registries: fetched once when a version is deployed, and the same ever
//! after, on every node and without a registry. On disk each set of packages is a tree that looks
//! like Deno's cache; in Postgres its parts lie with the version.

mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::BoxError;
use pg::sqlx::postgres::PgPool;

use crate::domain::packages::{self, Parts};
use crate::domain::{FunctionName, Version, VersionId};
use crate::store::packages as store;

pub(crate) use tree::Tree;

/// That what a version imports is more than is kept.
#[derive(Debug, thiserror::Error)]
#[error("the packages come to more than {} MiB", packages::MAX_BYTES / (1024 * 1024))]
pub(crate) struct TooLarge;

/// The packages of one database, kept in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Packages {
    directory: PathBuf,
    pool: PgPool,
}

impl Packages {
    /// Keeps trees in `directory`. What is there may be removed: it is restored.
    pub(crate) fn new(directory: PathBuf, pool: PgPool) -> Self {
        Self { directory, pool }
    }

    /// The packages of the function `name` with the code `hash` and `entry`, as they were when it
    /// was deployed; `None` where it was not, or has none.
    pub(crate) async fn find(
        &self,
        name: &FunctionName,
        hash: &VersionId,
        entry: &Path,
    ) -> Result<Option<Arc<Tree>>, BoxError> {
        let entry = entry.to_string_lossy();
        let hashes = store::find(&self.pool, name.as_str(), hash.as_str(), &entry).await?;
        if hashes.is_empty() {
            return Ok(None);
        }
        let id = packages::id(&hashes);
        if let Some(tree) = Tree::at(&self.directory, &id) {
            return Ok(Some(Arc::new(tree)));
        }
        let mut parts = Parts::default();
        for (part, hash) in hashes {
            let content = store::content(&self.pool, &hash).await?;
            let content = content.filter(|content| packages::hash(content) == hash);
            let content = content.ok_or("a package of the version is damaged")?;
            parts.0.insert(part, content);
        }
        tracing::info!(function = %name, "packages were restored");
        self.plant(parts).await.map(Some)
    }

    /// Takes what was fetched into the cache of a tool; `lock` says what was chosen.
    pub(crate) async fn keep(
        &self,
        cache: PathBuf,
        lock: PathBuf,
    ) -> Result<Option<Arc<Tree>>, BoxError> {
        let reading = move || tree::read(&cache, tree::read_lock(&lock).as_ref());
        let parts = tokio::task::spawn_blocking(reading).await??;
        if parts.0.is_empty() {
            return Ok(None);
        }
        self.plant(parts).await.map(Some)
    }

    async fn plant(&self, parts: Parts) -> Result<Arc<Tree>, BoxError> {
        let directory = self.directory.clone();
        let planting = move || Tree::plant(&directory, &parts);
        Ok(Arc::new(tokio::task::spawn_blocking(planting).await??))
    }

    /// Writes down that `version`, which was found in the folder, has `tree`.
    pub(crate) async fn note(&self, version: &Version, tree: &Tree) -> Result<(), BoxError> {
        let parts = tree.parts().await?;
        let mut transaction = self.pool.begin().await?;
        let (name, hash) = (version.function.as_str(), version.id.as_str());
        let entry = version.entry.to_string_lossy();
        let known = store::version(&mut transaction, name, hash, &entry).await?;
        if let Some(version) = known {
            store::insert(&mut transaction, version, &parts).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}
