//! One-time tokens: what a message carries and its reader shows again, by a link or by typing a
//! code.
//!
//! The link has 224 random bits, of which the SHA-256 is stored. The code has a few digits, so what
//! is stored of it is made with a key that is not in the database.

use std::fmt;

use common::{Randomness, Secret};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::derived_key::{DerivedKey, hex, sha256_hex};
use crate::domain::ids::UserId;

/// What the key is derived for, so that it is no other key of the platform.
const KEY_PURPOSE: &[u8] = b"selfdb/auth/one-time-code/v1";
/// The random bytes of a link's token: 56 characters in hexadecimal, as clients know them.
const LINK_BYTES: usize = 28;
/// What links of sign-ins begin with that end with a code for the client that began them.
pub const PKCE_PREFIX: &str = "pkce_";

/// What a token was sent for; a user has at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To confirm an address or number at sign-up.
    Confirmation,
    /// To sign in without a password.
    Recovery,
    /// To give an address up.
    EmailChangeCurrent,
    /// To show that a new address is one's own.
    EmailChangeNew,
    /// To show that one is still the same.
    Reauthentication,
    /// To show that a new number is one's own.
    PhoneChange,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Confirmation,
        Self::Recovery,
        Self::EmailChangeCurrent,
        Self::EmailChangeNew,
        Self::Reauthentication,
        Self::PhoneChange,
    ];

    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation_token",
            Self::Recovery => "recovery_token",
            Self::EmailChangeCurrent => "email_change_token_current",
            Self::EmailChangeNew => "email_change_token_new",
            Self::Reauthentication => "reauthentication_token",
            Self::PhoneChange => "phone_change_token",
        }
    }

    /// The purpose of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// A token on its way to a user.
#[derive(Clone)]
pub struct OneTimeToken {
    /// What the link has.
    pub link: Secret,
    /// What is typed.
    pub code: Secret,
}

impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeToken(…)")
    }
}

/// A token as stored.
#[derive(Debug, Clone)]
pub struct StoredOneTime {
    /// The row's id.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// What for.
    pub purpose: Purpose,
    /// The address or number it was sent to.
    pub relates_to: String,
    /// What is stored of the code.
    pub code_hash: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// The sign-in that its link goes on with.
    pub flow_state: Option<Uuid>,
    /// What a provider that makes its own codes calls this one.
    pub provider_reference: Option<String>,
}

/// Makes tokens and what is stored of them.
#[derive(Debug, Clone)]
pub struct OneTimeKey(DerivedKey);

impl OneTimeKey {
    /// Derives the key from a secret of the platform.
    pub fn derive(secret: &Secret) -> Self {
        Self(DerivedKey::derive(secret, KEY_PURPOSE))
    }

    /// What is stored of a code that was sent to `recipient`.
    pub fn code_hash(&self, recipient: &str, code: &str) -> String {
        hex(&self.0.mac(&[recipient.as_bytes(), b"\0", code.as_bytes()]))
    }
}

/// What is stored of a link's token.
pub fn link_hash(link: &str) -> String {
    sha256_hex(link)
}

/// A token whose code has `digits` digits; `prefix` begins its link.
pub fn generate(randomness: &dyn Randomness, digits: usize, prefix: &str) -> OneTimeToken {
    let mut bytes = [0; LINK_BYTES];
    randomness.fill(&mut bytes);
    OneTimeToken {
        link: Secret::from(format!("{prefix}{}", hex(&bytes))),
        code: Secret::from(digits_code(randomness, digits)),
    }
}

/// Random digits, each as likely as the others.
pub fn digits_code(randomness: &dyn Randomness, digits: usize) -> String {
    let mut code = String::with_capacity(digits);
    while code.len() < digits {
        let mut byte = [0];
        randomness.fill(&mut byte);
        // The largest multiple of ten that a byte holds: what is above would favour 0 to 5.
        if byte[0] < 250 {
            code.push(char::from(b'0' + byte[0] % 10));
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use common::SystemRandomness;

    use super::*;

    #[test]
    fn tokens_are_long_and_codes_are_digits() {
        let token = generate(&SystemRandomness, 8, PKCE_PREFIX);
        assert_eq!(token.link.expose().len(), 56 + PKCE_PREFIX.len());
        let code = token.code.expose();
        assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(format!("{token:?}"), "OneTimeToken(…)");
    }

    #[test]
    fn codes_are_bound_to_whom_they_were_sent() {
        let key = OneTimeKey::derive(&Secret::from("one secret"));
        let hash = key.code_hash("ada@example.com", "123456");
        assert_eq!(hash, key.code_hash("ada@example.com", "123456"));
        assert_ne!(hash, key.code_hash("bob@example.com", "123456"));
        assert_ne!(hash, key.code_hash("ada@example.com", "123457"));
        let other = OneTimeKey::derive(&Secret::from("another secret"));
        assert_ne!(hash, other.code_hash("ada@example.com", "123456"));
    }
}
