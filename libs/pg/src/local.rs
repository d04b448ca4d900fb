//! A Postgres of our own on this machine: found, initialised, started, watched, stopped.
//!
//! The server is our child and listens on loopback only. A lock on the data directory keeps a
//! second instance out; what an instance that was killed left running is stopped before a new
//! server starts, since two servers on one directory would destroy it.

mod account;
mod binaries;
mod config;
mod error;
mod initdb;
mod leftovers;
mod log;
mod prepare;
mod server;
mod supervise;

pub use account::Account;
pub use binaries::Binaries;
pub use config::LocalConfig;
pub use error::LocalError;
pub use initdb::Initdb;
pub use prepare::{LocalPostgres, SOCKETS};
pub use server::RunningPostgres;
