//! Refresh tokens: how they are made, and what presenting one leads to.
//!
//! A token is an HMAC over the session's salt, its id and the token's generation, under a key that
//! is not in the database. The database holds its SHA-256 alone. So a token that is lost on its way
//! to the client can be made again, and nobody who reads the database can make one.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::Secret;
use time::OffsetDateTime;

use crate::domain::derived_key::{DerivedKey, sha256_hex};
use crate::domain::ids::SessionId;

/// What the key is derived for, so that it is no other key of the platform.
const KEY_PURPOSE: &[u8] = b"selfdb/auth/refresh-token/v1";

/// The server's part of what refresh tokens are derived from.
#[derive(Debug, Clone)]
pub struct RefreshTokenKey(DerivedKey);

/// A refresh token as the client holds it: 256 bits in 43 URL-safe characters.
#[derive(Clone)]
pub struct RefreshToken(Secret);

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// The SHA-256 of a refresh token in hexadecimal: all that is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDigest(pub String);

impl RefreshTokenKey {
    /// Derives the key from a secret of the platform.
    pub fn derive(secret: &Secret) -> Self {
        Self(DerivedKey::derive(secret, KEY_PURPOSE))
    }

    /// The token of one generation of a session.
    pub fn token(&self, session: SessionId, salt: &str, generation: i64) -> RefreshToken {
        let mac = self.0.mac(&[
            session.0.as_bytes(),
            &generation.to_be_bytes(),
            salt.as_bytes(),
        ]);
        RefreshToken::from(URL_SAFE_NO_PAD.encode(mac))
    }
}

impl From<String> for RefreshToken {
    fn from(text: String) -> Self {
        Self(Secret::from(text))
    }
}

impl RefreshToken {
    /// The token, for the client.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored of the token.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(sha256_hex(self.expose()))
    }
}

/// A stored refresh token.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// What is stored of the token itself.
    pub digest: TokenDigest,
    /// The token that this one replaced.
    pub parent: Option<TokenDigest>,
    /// Whether it was replaced or revoked.
    pub revoked: bool,
    /// When it was last changed; once it is revoked, when that happened.
    pub updated_at: OffsetDateTime,
}

/// What presenting a refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// It is the active one: replace it.
    Rotate,
    /// It was replaced, and its holder can be told the active one: the answer was lost, or many
    /// asked at once.
    TellActive,
    /// It was replaced long ago: somebody else has it too.
    Stolen,
}

/// Judges a presented token by the session's active one. Specified in the wire contract under
/// "Refresh".
pub fn judge(
    presented: &StoredToken,
    active: Option<&StoredToken>,
    reuse_interval: Duration,
    now: OffsetDateTime,
) -> Presented {
    if !presented.revoked {
        return Presented::Rotate;
    }
    let Some(active) = active else {
        return Presented::Stolen;
    };
    let is_parent_of_active = active.parent.as_ref() == Some(&presented.digest);
    if is_parent_of_active || now <= presented.updated_at + reuse_interval {
        Presented::TellActive
    } else {
        Presented::Stolen
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);

    fn stored(name: &str, parent: Option<&str>, revoked: bool, age_seconds: u64) -> StoredToken {
        StoredToken {
            digest: TokenDigest(name.to_owned()),
            parent: parent.map(|parent| TokenDigest(parent.to_owned())),
            revoked,
            updated_at: NOW - Duration::from_secs(age_seconds),
        }
    }

    fn judged(presented: &StoredToken, active: Option<&StoredToken>) -> Presented {
        judge(presented, active, Duration::from_secs(10), NOW)
    }

    #[test]
    fn the_contract_of_reuse() {
        let active = stored("c", Some("b"), false, 500);
        assert_eq!(judged(&active, Some(&active)), Presented::Rotate);
        let parent = stored("b", Some("a"), true, 500);
        assert_eq!(judged(&parent, Some(&active)), Presented::TellActive);
        let recent = stored("a", None, true, 10);
        assert_eq!(judged(&recent, Some(&active)), Presented::TellActive);
        let old = stored("a", None, true, 11);
        assert_eq!(judged(&old, Some(&active)), Presented::Stolen);
        assert_eq!(judged(&recent, None), Presented::Stolen);
    }

    #[test]
    fn tokens_can_be_made_again_and_differ_by_everything_they_are_made_of() {
        let key = RefreshTokenKey::derive(&Secret::from("one secret"));
        let other_key = RefreshTokenKey::derive(&Secret::from("another secret"));
        let session = SessionId(Uuid::from_u128(1));
        let token = key.token(session, "salt", 1);
        assert_eq!(token.expose().len(), 43);
        assert_eq!(token.expose(), key.token(session, "salt", 1).expose());
        let others = [
            key.token(session, "salt", 2),
            key.token(session, "tlas", 1),
            key.token(SessionId(Uuid::from_u128(2)), "salt", 1),
            other_key.token(session, "salt", 1),
        ];
        for other in others {
            assert_ne!(token.expose(), other.expose());
        }
        assert_eq!(token.digest().0.len(), 64);
        assert_eq!(format!("{token:?}"), "RefreshToken(…)");
    }
}
