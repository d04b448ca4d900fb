//! SelfDB's own interface: the same actions under other names.

pub(super) mod auth;
pub(super) mod me;
pub(super) mod responses;
pub(super) mod users;
