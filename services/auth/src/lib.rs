//! Users and their sessions: signing up, signing in and out, refreshing, administrating. Speaks
//! GoTrue's protocol, and SelfDB's own as a translation of it.
//!
//! Routes read a request and write the answer; [`actions`] hold the rules and the transactions;
//! [`domain`] is pure; [`store`] is all the SQL.

pub mod config;
pub mod service;

pub mod actions;
pub mod app;
pub mod breaches;
pub mod captcha;
pub mod domain;
pub mod error;
pub mod external;
mod extract;
pub mod hashing;
pub mod hooks;
pub mod limiter;
pub mod mail;
pub mod outbound;
mod routes;
pub mod sms;
pub mod store;
pub mod webauthn;
mod wire;

pub use actions::ensure_admin::{EnsuredAdmin, ensure_admin};
pub use config::Config;
pub use error::Error;
pub use service::{MIGRATIONS, build_with};
