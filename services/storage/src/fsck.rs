//! `selfdb storage fsck`: whether every row has its bytes and every byte its row.

use std::sync::Arc;

use common::{BoxError, SystemClock};
use pg::PoolOptions;
use tokio::sync::Notify;

use crate::backend::BackendError;
use crate::config::Config;
use crate::domain::object::Version;
use crate::integrity::{Reads, Wanted};
use crate::store::versions::{self, Kept};
use crate::sweeper::{Sweeper, Swept};

/// How many versions one query brings.
const BATCH: i64 = 500;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Versions that were read and are what they were.
    pub whole: u64,
    /// Versions of which no hash is known; that they are there was seen.
    pub unhashed: u64,
    /// Versions without their bytes, or with others, and what is called by them.
    pub broken: Vec<Broken>,
    /// Bytes that nothing refers to.
    pub unreferenced: Swept,
}

/// A version whose bytes are not there or not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The version.
    pub version: Version,
    /// What is wrong.
    pub problem: String,
    /// The objects, as `bucket/name`.
    pub objects: Vec<String>,
}

/// What to do about bytes that nothing refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreferenced {
    /// Count them.
    Count,
    /// Delete them.
    Delete,
}

/// Looks at everything; `progress` is told how many versions were read, of how many.
pub async fn run(
    config: &Config,
    unreferenced: Unreferenced,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, BoxError> {
    let owner = pg::pool(&config.owner, &PoolOptions::new("selfdb-fsck", 2));
    let place = config
        .place(config.backend)
        .ok_or("the backend is not set up")?;
    let objects = place.open(versions::installation(&owner).await?).await?;
    let clock = Arc::new(SystemClock);
    let reads = Reads::new(Arc::clone(&objects), Arc::<SystemClock>::clone(&clock));
    let sweeper = Sweeper::new(owner.clone(), objects, clock, Arc::new(Notify::new()));
    let mut report = Report::default();
    let mut connection = owner.acquire().await?;
    let (total, _) = versions::totals(&mut connection).await?;
    let total = u64::try_from(total).unwrap_or_default();
    let (mut after, mut seen) = (String::new(), 0);
    loop {
        let (batch, last) = versions::kept(&mut connection, &after, BATCH).await?;
        for kept in &batch {
            look(&reads, kept, &mut connection, &mut report).await?;
            seen += 1;
            progress(seen, total);
        }
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    report.unreferenced = match unreferenced {
        Unreferenced::Count => sweeper.count_orphans().await?,
        Unreferenced::Delete => {
            while sweeper.sweep_discarded().await? > 0 {}
            sweeper.sweep_orphans().await?
        }
    };
    Ok(report)
}

async fn look(
    reads: &Reads,
    kept: &Kept,
    connection: &mut pg::sqlx::PgConnection,
    report: &mut Report,
) -> Result<(), BoxError> {
    let size = kept.size.unwrap_or_default();
    let wanted = Wanted::whole(kept.version, kept.sha256, size);
    let seen = match kept.sha256 {
        Some(_) => reads.check(wanted).await,
        None => reads
            .read(Wanted {
                length: 0,
                ..wanted
            })
            .await
            .map(drop),
    };
    let problem = match seen {
        Ok(()) if kept.sha256.is_some() => {
            report.whole += 1;
            return Ok(());
        }
        Ok(()) => {
            report.unhashed += 1;
            return Ok(());
        }
        Err(
            error @ (BackendError::Missing(_)
            | BackendError::Damaged(_)
            | BackendError::Truncated { .. }),
        ) => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    let objects = versions::objects_of(connection, kept.version).await?;
    // An upload that has noted its version may not have written its bytes yet, and what was read a
    // moment ago may have been replaced.
    if objects.is_empty() {
        return Ok(());
    }
    report.broken.push(Broken {
        version: kept.version,
        problem,
        objects: objects
            .into_iter()
            .map(|(bucket, name)| format!("{bucket}/{name}"))
            .collect(),
    });
    Ok(())
}
