//! What tests of services stand on: a Postgres shared by all tests of this machine, a database of
//! their own cloned from a migrated template, tokens, and a service under test.
//!
//! ```no_run
//! # async fn story() {
//! let db = testkit::TestDatabase::new(&[]).await;
//! let token = db.user_token(uuid::Uuid::from_u128(7), "a@example.com");
//! # }
//! ```
#![expect(
    clippy::expect_used,
    reason = "a test whose ground cannot be laid must stop, with the reason"
)]

mod cluster;
mod database;
pub mod fault;
pub mod history;
mod identity;
mod request;
mod response;
mod service;
mod smtp;

pub use cluster::SharedCluster;
pub use database::TestDatabase;
pub use request::TestRequest;
pub use response::TestResponse;
pub use service::{TestService, config};
pub use smtp::{Mail, SmtpSink};
