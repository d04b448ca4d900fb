//! Calling functions.

pub(super) mod invoke;
