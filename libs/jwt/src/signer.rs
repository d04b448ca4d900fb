//! Signing tokens: with the platform's secret (HS256), or with a key of the operator's.

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
    header: Header,
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
        Self::new(key, Algorithm::HS256, None)
    }

    /// A signer whose tokens name their key by `id`.
    pub(crate) fn new(key: EncodingKey, algorithm: Algorithm, id: Option<String>) -> Self {
        let mut header = Header::new(algorithm);
        header.kid = id;
        Self { key, header }
    }

    /// The compact token that says `claims`.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        Ok(jsonwebtoken::encode(&self.header, claims, &self.key)?)
    }
}
