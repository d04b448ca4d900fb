//! Secrets at rest: AES-256-GCM under a key that is not in the database.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use common::{Randomness, Secret};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::domain::derived_key::DerivedKey;

/// What the key is derived for, so that it is no other key of the platform.
const KEY_PURPOSE: &[u8] = b"selfdb/auth/sealed/v1";
/// What sealed texts begin with. What does not, came from elsewhere and is as it reads.
const PREFIX: &str = "sealed:v1:";

/// Seals and opens secrets.
#[derive(Debug, Clone)]
pub struct Seal(LessSafeKey);

/// A text that was not sealed with this key, for this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret cannot be opened: JWT_SECRET was changed")]
pub struct SealError;

impl Seal {
    /// Derives the key from a secret of the platform.
    pub fn derive(secret: &Secret) -> Result<Self, SealError> {
        let key = DerivedKey::derive(secret, KEY_PURPOSE).mac(&[b"key"]);
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| SealError)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals a secret so that it can be opened again only for `place`: a row's id.
    pub fn seal(
        &self,
        randomness: &dyn Randomness,
        place: &str,
        secret: &Secret,
    ) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        randomness.fill(&mut nonce);
        let mut bytes = secret.expose().as_bytes().to_vec();
        let place = Aad::from(place.as_bytes());
        let used = Nonce::assume_unique_for_key(nonce);
        let sealed = self.0.seal_in_place_append_tag(used, place, &mut bytes);
        sealed.map_err(|_| SealError)?;
        let mut whole = nonce.to_vec();
        whole.extend(bytes);
        Ok(format!("{PREFIX}{}", STANDARD_NO_PAD.encode(whole)))
    }

    /// Opens a secret.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret, SealError> {
        let Some(text) = sealed.strip_prefix(PREFIX) else {
            return Ok(Secret::from(sealed));
        };
        let whole = STANDARD_NO_PAD.decode(text).map_err(|_| SealError)?;
        let (nonce, bytes) = whole.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
        let mut bytes = bytes.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let place = Aad::from(place.as_bytes());
        let opened = self.0.open_in_place(nonce, place, &mut bytes);
        let opened = opened.map_err(|_| SealError)?;
        String::from_utf8(opened.to_vec())
            .map(Secret::from)
            .map_err(|_| SealError)
    }
}

#[cfg(test)]
mod tests {
    use common::SystemRandomness;

    use super::*;

    #[test]
    fn what_is_sealed_is_opened_with_its_key_and_in_its_place_only() {
        let seal = Seal::derive(&Secret::from("one secret")).expect("a key");
        let sealed = seal
            .seal(&SystemRandomness, "row", &Secret::from("hunter2"))
            .expect("sealed");
        assert!(!sealed.contains("hunter2"));
        assert_eq!(
            seal.open("row", &sealed).expect("opened").expose(),
            "hunter2"
        );
        assert!(seal.open("other row", &sealed).is_err());
        let other = Seal::derive(&Secret::from("another secret")).expect("a key");
        assert!(other.open("row", &sealed).is_err());
        assert_eq!(
            seal.open("row", "JBSWY3DP").expect("plain").expose(),
            "JBSWY3DP"
        );
    }
}
