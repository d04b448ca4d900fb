//! Who is asking: signing and verifying the platform's JSON Web Tokens, and resolving its API
//! keys.
//!
//! A token is read strictly and only with keys of ours: the key decides the algorithm, never the
//! token. Nothing here speaks HTTP beyond reading one header; each service writes a refusal in its
//! own dialect.

mod api_keys;
mod bearer;
mod cache;
mod claims;
mod config;
mod error;
mod header;
mod identity;
mod json;
mod jwk;
mod key_set;
pub mod postgrest;
mod signer;
mod signing_keys;
mod verifier;

pub use api_keys::{ApiKey, ApiKeys, mint_key_token};
pub use bearer::{BearerError, bearer};
pub use config::JwtConfig;
pub use error::TokenError;
pub use identity::Identity;
pub use jwk::JwkError;
pub use key_set::{KeySet, VerificationKey};
pub use signer::{SignError, Signer};
pub use signing_keys::{SigningJwk, SigningKeyError, SigningKeys, read as read_signing_keys};
pub use verifier::{TokenRules, Verifier};
