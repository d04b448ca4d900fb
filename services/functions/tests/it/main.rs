//! The functions service with real Deno, asked over HTTP.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on either holds or ends it"
)]

mod access;
mod api;
mod attacks;
mod bootstrap;
mod cgroups;
mod crowd;
mod database;
mod deploys;
mod egress;
mod environment;
mod failures;
mod formats;
mod habits;
mod history;
mod journal;
mod kills;
mod launcher;
mod limits;
mod management;
mod packages;
mod processes;
mod sandbox;
mod stage;
mod streaming;
mod triggers;
mod versions;
