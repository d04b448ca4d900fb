//! Users' functions: TypeScript that runs in real Deno processes which cannot hurt the platform or
//! one another.
//!
//! `domain` says what a function and its versions are, `source` finds them in a folder, `catalog`
//! decides which version serves, `runtime` runs it (a trait, and Deno behind it), and `sandbox` is
//! what a runtime's process is shut in by; `packages` keeps what versions import. `invoker` calls functions and has `journal` record it.

mod access;
mod catalog;
mod checks;
mod config;
mod deployer;
mod dispatcher;
mod domain;
mod error;
mod invoker;
mod journal;
mod packages;
mod registry;
mod routes;
mod runtime;
pub mod sandbox;
mod service;
mod source;
mod store;
mod vault;

pub use config::Config;
pub use service::MIGRATIONS;
