//! The service and Postgres are killed under load: nothing that was acknowledged is lost, nothing
//! is applied twice under one `Idempotency-Key`.
//!
//! `REST_KILLS=20 cargo test -p rest --test it killed -- --nocapture --test-threads 1` kills each
//! twenty times.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "a test stops where its ground gives way, and tells what it counted"
)]

mod client;
mod cluster;
mod ground;
mod writers;
