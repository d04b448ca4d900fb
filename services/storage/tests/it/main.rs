//! Storage against real Postgres and real files.
#![expect(
    clippy::expect_used,
    reason = "a test whose ground is not as it must be stops, with the reason"
)]

mod buckets;
mod downloads;
mod keys;
mod listing;
mod load;
mod matrix;
mod policies;
mod selfdb_api;
mod signed;
mod stage;
mod sweeping;
mod transfer;
mod uploads;
