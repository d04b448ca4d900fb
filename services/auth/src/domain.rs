//! What auth is about, without HTTP and without SQL.

pub mod audit;
pub mod claims;
pub mod duration;
pub mod email;
pub mod ids;
pub mod metadata;
pub mod password;
pub mod password_hash;
pub mod phone;
pub mod refresh_token;
pub mod session;
pub mod user;
