//! All SQL of the service. What runs on a caller's transaction is bound by row-level security; what
//! runs on the owner's connections is not, and says so.

pub mod buckets;
pub mod listing;
pub mod objects;
pub mod pending;
pub mod renditions;
pub mod versions;
