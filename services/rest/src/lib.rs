//! REST over the tables, views and functions of a Postgres database: `PostgREST`'s protocol, and
//! the platform's own `/api/v1/tables`, `/api/v1/schema` and `/api/v1/sql`.
//!
//! A request goes through pure, typed stages: `request` (what is asked), `plan` (what that means
//! for this database), `sql` (the statements) and `response` (what Postgres gave, as HTTP). Only
//! `execute` touches the connections, and `console` one of its own.

mod access;
mod app;
mod config;
mod console;
mod error;
mod execute;
mod forgetting;
#[cfg(fuzzing)]
pub mod fuzzing;
mod idempotency;
mod live;
mod plan;
mod request;
mod response;
mod routes;
mod schema_cache;
mod service;
mod spool;
mod sql;
mod standalone;
mod timing;

pub use config::Config;
pub use standalone::run;
