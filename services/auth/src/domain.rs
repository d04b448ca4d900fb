//! What auth is about, without HTTP and without SQL.

pub mod audit;
pub mod claims;
pub mod derived_key;
pub mod duration;
pub mod email;
pub mod factor;
pub mod flow_state;
pub mod glob;
pub mod ids;
pub mod links;
pub mod metadata;
pub mod one_time;
pub mod passkey;
pub mod password;
pub mod password_hash;
pub mod phone;
pub mod pkce;
pub mod refresh_token;
pub mod sealed;
pub mod session;
pub mod totp;
pub mod user;
pub mod verification;
