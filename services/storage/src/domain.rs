//! What storage is about, without HTTP handlers or SQL.

pub mod bucket;
pub mod conditions;
pub mod disposition;
pub mod key;
pub mod mime;
pub mod object;
pub mod range;
pub mod signature;
pub mod size;
pub mod user_metadata;
