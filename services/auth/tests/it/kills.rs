//! The service and Postgres are killed while sessions are refreshed: nobody is locked out, and each
//! session has one live refresh token.
//!
//! `AUTH_KILLS=50 cargo test -p auth --test it kills -- --nocapture --test-threads 1` kills each
//! fifty times.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "a test tells what it counted"
)]

mod cluster;
mod ground;
mod holders;
