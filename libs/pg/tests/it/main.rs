//! The library on a real Postgres.
#![expect(
    clippy::expect_used,
    reason = "a test stops where its ground gives way"
)]

mod access;
mod bootstrap;
mod cluster;
mod exposure;
mod migrations;
mod pipeline;
mod pool;
mod public_tables;
mod schema_watch;
mod support;
