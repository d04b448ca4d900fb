//! Storage against real Postgres and real files.
#![expect(
    clippy::expect_used,
    reason = "a test whose ground is not as it must be stops, with the reason"
)]

mod bodies;
mod buckets;
mod crashes;
mod downloads;
mod integrity;
mod keys;
mod list_v2;
mod listing;
mod load;
mod lookups;
mod matrix;
mod policies;
mod rendering;
mod s3;
mod s3_backend;
mod selfdb_api;
mod signed;
mod sigv4;
mod stage;
mod sweeping;
mod transfer;
mod tus;
mod uploads;
mod weed;
