//! Users' functions: TypeScript that runs in real Deno processes which cannot hurt the platform or
//! one another.
//!
//! `domain` says what a function and its versions are, `source` finds them in a folder, `catalog`
//! decides which version serves, `runtime` runs it (a trait, and Deno behind it), and `sandbox` is
//! what a runtime's process is shut in by.

mod access;
mod catalog;
mod config;
mod domain;
mod error;
mod routes;
mod runtime;
pub mod sandbox;
mod service;
mod source;

pub use config::Config;
