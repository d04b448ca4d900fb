//! The keys tokens are checked with. Each key knows its one algorithm; a token only says which
//! key it means.

use std::fmt;

use common::Secret;
use jsonwebtoken::{Algorithm, DecodingKey};

/// One key and the only algorithm it is used with.
#[derive(Clone)]
pub struct VerificationKey {
    /// The `kid` a token must carry to mean this key; without one, it must carry none.
    pub(crate) id: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl VerificationKey {
    /// The shared secret of HS256, meant by tokens without a `kid`.
    pub fn hs256(secret: &Secret) -> Self {
        Self {
            id: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret.expose().as_bytes()),
        }
    }
}

/// Every key a token may be signed with.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
}

impl KeySet {
    /// This set and one key more.
    #[must_use]
    pub fn with(mut self, key: VerificationKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The key a token's header means: both its algorithm and its `kid` (or the lack of one) must
    /// be the key's own.
    pub(crate) fn select(&self, algorithm: Algorithm, id: Option<&str>) -> Option<&DecodingKey> {
        self.keys
            .iter()
            .find(|key| key.algorithm == algorithm && key.id.as_deref() == id)
            .map(|key| &key.key)
    }
}

impl FromIterator<VerificationKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = VerificationKey>>(keys: I) -> Self {
        let keys = keys.into_iter().collect();
        Self { keys }
    }
}
