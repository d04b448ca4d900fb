//! What a function is: its name, its versions and its limits. Knows neither HTTP nor Deno.

pub(crate) mod code;
pub(crate) mod diagnostic;
pub(crate) mod egress;
pub(crate) mod execution;
pub(crate) mod limits;
pub(crate) mod name;
pub(crate) mod packages;
pub(crate) mod trigger;
pub(crate) mod version;

pub(crate) use limits::{Limits, OwnLimits};
pub(crate) use name::FunctionName;
pub(crate) use version::{Version, VersionId};
