//! Secrets: never printed, never logged, and refused where the world already knows them.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// A secret text, wiped when dropped. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether `other` is this secret, in time that does not depend on where they differ.
    pub fn matches(&self, other: &str) -> bool {
        self.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer bytes than this place needs.
    #[error("is too short: use at least {0} random characters")]
    Short(usize),
    /// A value from somebody's documentation or example file.
    #[error("is a default that the whole world knows: use a random one")]
    KnownDefault,
}

/// Values that examples and documentation of this kind of platform have carried.
const KNOWN_DEFAULTS: &[&str] = &[
    "adminpassword",
    "admin",
    "admin123",
    "changeme",
    "change-me",
    "minioadmin",
    "password",
    "password123",
    "postgres",
    "secret",
    "selfdb",
    "supabase",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "this_password_is_insecure_and_should_be_updated",
    "your-secret-key",
    "your-super-secret-and-long-postgres-password",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
];

/// The `iss` of the demo keys in Supabase's documentation, as it stands in their payload.
const DEMO_KEY_PAYLOAD: &str = "c3VwYWJhc2UtZGVtby";

/// What makes `text` unfit as a secret of at least `min_length` bytes, if anything does.
pub fn weakness(text: &str, min_length: usize) -> Option<Weakness> {
    let lower = text.to_ascii_lowercase();
    let first = text.bytes().next();
    let one_character = text.bytes().all(|byte| Some(byte) == first);
    let demo_key = text.contains(DEMO_KEY_PAYLOAD);
    if KNOWN_DEFAULTS.contains(&lower.as_str()) || demo_key {
        Some(Weakness::KnownDefault)
    } else if text.len() < min_length || one_character {
        Some(Weakness::Short(min_length))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_defaults_and_short_secrets_are_refused() {
        assert_eq!(weakness("AdminPassword", 8), Some(Weakness::KnownDefault));
        assert_eq!(weakness("abc", 8), Some(Weakness::Short(8)));
        assert_eq!(
            weakness("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 32),
            Some(Weakness::Short(32))
        );
        assert_eq!(weakness("c0rrect-h0rse-battery", 12), None);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret(…)");
    }
}
