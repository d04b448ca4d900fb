//! The service alone on a database of an operator's own, as a drop-in for `postgrest`: its command
//! line, its configuration (a file, `PGRST_*`, the database itself), its listeners and its logs.
//! Nothing of the platform is needed there.

pub(crate) mod access_log;
mod admin;
mod arguments;
mod cors;
mod dump;
mod file;
mod in_database;
mod layers;
mod listen;
mod metrics;
mod parameters;
mod ready;
mod run;
mod signals;
mod source;

pub use run::run;
pub(crate) use source::{Source, SourceError, Values};

/// What is logged under this name is logged at every level: that the server starts, reloads and
/// recovers.
pub(crate) const NOTICES: &str = "rest::notices";
