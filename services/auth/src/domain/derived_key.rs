//! Keys derived from the platform's secret, one for each purpose, so that none is another's.

use std::fmt::{self, Write as _};

use common::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// A key of HMAC-SHA256 that is not in the database.
#[derive(Clone)]
pub struct DerivedKey(Hmac<Sha256>);

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(…)")
    }
}

impl DerivedKey {
    /// The key for one purpose.
    pub fn derive(secret: &Secret, purpose: &[u8]) -> Self {
        let derived = keyed(secret.expose().as_bytes())
            .chain_update(purpose)
            .finalize();
        Self(keyed(&derived.into_bytes()))
    }

    /// The code over `parts`, one after another: who needs them apart separates them.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

/// HMAC-SHA256 under a key that somebody else gave.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    keyed(key)
        .chain_update(message)
        .finalize()
        .into_bytes()
        .into()
}

/// The SHA-256 of a text, in hexadecimal.
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
