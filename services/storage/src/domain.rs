//! What storage is about, without HTTP handlers or SQL.

pub mod bucket;
pub mod conditions;
pub mod disposition;
pub mod image;
pub mod key;
pub mod mime;
pub mod object;
pub mod pending;
pub mod range;
pub mod s3_keys;
pub mod signature;
pub mod size;
pub mod tus;
pub mod user_metadata;
