//! Tokens as `PostgREST` takes them (<https://docs.postgrest.org/en/stable/references/auth.html>):
//! the operator's own secret or JWK set, any claims, and a role found where the operator says.
//!
//! The key still decides the algorithm, never the token; `alg: none` and critical extensions are
//! refused. What a token brings along of keys or addresses of keys is not looked at.

mod claims;
mod keys;
mod refusal;
mod role_path;
mod verifier;

pub use keys::{Encoding, Keys, KeysError};
pub use refusal::Refusal;
pub use role_path::{NotText, RolePath, RolePathError};
pub use verifier::{CacheUse, Rules, Verifier};
