//! Realtime: what happens in the database and between clients, told as it happens. Supabase's
//! protocol and SelfDB's own over one engine. See the README for the path of one event.

pub mod broadcast;
pub mod bus;
pub mod changes;
pub mod channel;
pub mod config;
pub mod engine;
pub mod error;
pub mod fan_out;
pub mod journal;
pub mod limits;
pub mod listener;
pub mod outbox;
pub mod persistence;
pub mod presence;
pub mod protocol;
pub mod replication;
pub mod resume;
pub mod routes;
pub mod service;
pub mod sessions;
pub mod sockets;
pub mod store;
pub mod topics;
pub mod wire;

pub use config::Config;
pub use error::Error;
pub use service::MIGRATIONS;
