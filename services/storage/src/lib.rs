//! Object storage: Supabase's API and SelfDB's, over Postgres rows and immutable files.
//!
//! Read [`routes`] for what is served, [`authoriser`] for who may, [`uploads`] for how bytes become
//! objects, and [`backend`] for where they are.

mod app;
pub mod authoriser;
pub mod backend;
pub mod body;
pub mod caller;
mod config;
pub mod domain;
mod error;
pub mod fsck;
pub mod integrity;
pub mod lookups;
pub mod migrate;
pub mod renditions;
pub mod routes;
mod service;
pub mod store;
pub mod sweeper;
pub mod uploads;

pub use config::{Backend, Config, Limits};
pub use error::Error;
pub use service::MIGRATIONS;

/// Who keeps how much where: bucket, owner, objects, bytes; the most first.
pub async fn usage(
    config: &Config,
) -> Result<Vec<(String, Option<String>, i64, i64)>, common::BoxError> {
    let owner = pg::pool(&config.owner, &pg::PoolOptions::new("selfdb-usage", 1));
    let mut connection = owner.acquire().await?;
    Ok(store::versions::usage(&mut connection).await?)
}
