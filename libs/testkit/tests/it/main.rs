//! The ground tests stand on, tested itself.
#![expect(
    clippy::expect_used,
    reason = "a test stops where its ground gives way"
)]

mod database;
mod service;
