//! Tokens that were verified before, by the SHA-256 of their text, so that a request costs one
//! hash instead of a signature and a parse. Only good tokens are kept, never past their end.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest as _, Sha256};

use crate::identity::Identity;

const SHARDS: usize = 8;
const PER_SHARD: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

type Digest = [u8; 32];
type Shard = Mutex<LruCache<Digest, Arc<Identity>>>;

/// A bounded cache in shards, so that threads seldom wait for one another.
pub(crate) struct TokenCache {
    shards: [Shard; SHARDS],
}

/// The name a token has in the cache. The token itself is not kept.
#[derive(Clone, Copy)]
pub(crate) struct TokenDigest(Digest);

impl TokenDigest {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self::of_shards(PER_SHARD)
    }

    /// A cache of about `entries`.
    pub(crate) fn with_entries(entries: NonZeroUsize) -> Self {
        let per_shard = NonZeroUsize::new(entries.get().div_ceil(SHARDS));
        Self::of_shards(per_shard.unwrap_or(NonZeroUsize::MIN))
    }

    fn of_shards(entries: NonZeroUsize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::new(LruCache::sparse(entries)));
        Self { shards }
    }

    /// The identity of a token that was verified before and has not ended at `now`.
    pub(crate) fn find(&self, token: TokenDigest, now: i64) -> Option<Arc<Identity>> {
        let mut shard = self.lock(token);
        let identity = shard.get(&token.0)?;
        if identity.expires_at.is_none_or(|end| end > now) {
            return Some(Arc::clone(identity));
        }
        shard.pop(&token.0);
        None
    }

    /// Remembers `identity`, and answers whether another gave way.
    pub(crate) fn insert(&self, token: TokenDigest, identity: Arc<Identity>) -> bool {
        let displaced = self.lock(token).push(token.0, identity);
        displaced.is_some_and(|(digest, _)| digest != token.0)
    }

    fn lock(
        &self,
        token: TokenDigest,
    ) -> std::sync::MutexGuard<'_, LruCache<Digest, Arc<Identity>>> {
        let shard = &self.shards[usize::from(token.0[0]) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
