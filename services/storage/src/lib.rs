//! Object storage: Supabase's API and SelfDB's, over Postgres rows and immutable files.
//!
//! Read [`routes`] for what is served, [`authoriser`] for who may, [`uploads`] for how bytes become
//! objects, and [`backend`] for where they are.

mod app;
pub mod authoriser;
pub mod backend;
pub mod body;
pub mod caller;
mod config;
pub mod domain;
mod error;
pub mod routes;
mod service;
pub mod store;
pub mod sweeper;
pub mod uploads;

pub use config::{Config, Limits};
pub use error::Error;
pub use service::MIGRATIONS;
