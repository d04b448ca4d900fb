//! Sealing what is secret before it goes into Postgres: AES-256-GCM under a key that is not there.

use std::fmt;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use common::{Randomness, Secret};
use sha2::{Digest as _, Sha256};

const NONCE_BYTES: usize = 12;

/// The key's other side: seals and opens.
#[derive(Clone)]
pub(crate) struct Vault(Aes256Gcm);

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// What cannot be opened: sealed under another key, for another place, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed with another key")]
pub(crate) struct Sealed;

impl Vault {
    /// A vault under `key`, a random text.
    pub(crate) fn new(key: &Secret) -> Self {
        let digest: [u8; 32] = Sha256::digest(key.expose().as_bytes()).into();
        Self(Aes256Gcm::new(&Key::<Aes256Gcm>::from(digest)))
    }

    /// Seals `text`; it can be opened again only as what belongs to `place`.
    pub(crate) fn seal(
        &self,
        text: &Secret,
        place: &str,
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, Sealed> {
        let mut nonce = [0; NONCE_BYTES];
        randomness.fill(&mut nonce);
        let payload = Payload {
            msg: text.expose().as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload);
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.map_err(|_| Sealed)?);
        Ok(bytes)
    }

    /// Opens what was sealed for `place`.
    pub(crate) fn open(&self, sealed: &[u8], place: &str) -> Result<Secret, Sealed> {
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES).ok_or(Sealed)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Sealed)?;
        let payload = Payload {
            msg: text,
            aad: place.as_bytes(),
        };
        let text = self.0.decrypt(&Nonce::from(nonce), payload);
        let text = String::from_utf8(text.map_err(|_| Sealed)?).map_err(|_| Sealed)?;
        Ok(Secret::from(text))
    }
}

#[cfg(test)]
mod tests {
    use common::SystemRandomness;

    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_in_its_place_and_whole() {
        let vault = Vault::new(&Secret::from("a key of the tests"));
        let seal = || {
            vault
                .seal(&Secret::from("hush"), "here", &SystemRandomness)
                .expect("sealed")
        };
        let sealed = seal();
        assert_ne!(sealed, seal(), "never the same twice");
        assert!(!sealed.windows(4).any(|window| window == b"hush"));
        assert_eq!(
            vault.open(&sealed, "here").expect("opened").expose(),
            "hush"
        );
        assert!(vault.open(&sealed, "there").is_err());
        let other = Vault::new(&Secret::from("another key"));
        assert!(other.open(&sealed, "here").is_err());
        let mut damaged = sealed.clone();
        *damaged.last_mut().expect("bytes") ^= 1;
        assert!(vault.open(&damaged, "here").is_err());
        assert!(vault.open(&sealed[..5], "here").is_err());
    }
}
