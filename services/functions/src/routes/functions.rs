//! Functions: calling them, and what there is of them.

pub(super) mod invoke;
pub(super) mod list;
