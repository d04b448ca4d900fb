//! What is done to a request before, and to a response after, a service sees it: one file each.
//! [`crate::exchange`] says in which order, and why.

pub(crate) mod access_log;
pub(crate) mod cors;
pub(crate) mod forwarded;
pub(crate) mod hop_by_hop;
pub(crate) mod keys;
pub(crate) mod patience;
pub(crate) mod rewrite;
pub(crate) mod sanity;
pub(crate) mod upload;
