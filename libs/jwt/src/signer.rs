//! Signing tokens with the platform's secret (HS256).

use std::fmt;

use common::Secret;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// Claims that cannot be written as a JSON object.
#[derive(Debug, thiserror::Error)]
#[error("the token could not be signed: {0}")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

/// Signs tokens.
#[derive(Clone)]
pub struct Signer {
    key: EncodingKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer with the shared secret of HS256.
    pub fn hs256(secret: &Secret) -> Self {
        let key = EncodingKey::from_secret(secret.expose().as_bytes());
        Self { key }
    }

    /// The compact token that says `claims`.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        let header = Header::new(Algorithm::HS256);
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }
}
