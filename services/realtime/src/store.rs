//! All SQL of the service.

pub mod access;
pub mod columns;
pub mod messages;
pub mod replication;
pub mod types;
