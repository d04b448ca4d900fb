//! What callers do: rules, then transactions. Both dialects of the interface end here.

pub mod admin;
pub mod anonymous;
pub mod caller;
pub mod contacts;
pub mod ensure_admin;
pub mod grant;
pub mod refresh;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;
pub mod sweep;
pub mod update_user;
