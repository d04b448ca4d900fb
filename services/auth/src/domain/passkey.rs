//! Passkeys: keys that users sign in with.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::UserId;

/// A passkey as stored.
#[derive(Debug, Clone)]
pub struct Passkey {
    /// The passkey's id.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// The public key.
    pub key: Value,
    /// What its user calls it; empty where they call it nothing.
    pub friendly_name: String,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// When it was last signed in with.
    pub last_used_at: Option<OffsetDateTime>,
}

/// What a browser was asked.
#[derive(Debug, Clone)]
pub struct PasskeyChallenge {
    /// The challenge's id.
    pub id: Uuid,
    /// Whose browser it was, where that was known.
    pub user_id: Option<UserId>,
    /// What for.
    pub purpose: PasskeyPurpose,
    /// What the answer is held against.
    pub state: Value,
    /// When it was asked.
    pub created_at: OffsetDateTime,
    /// Until when it can be answered.
    pub expires_at: OffsetDateTime,
}

/// What a browser was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyPurpose {
    /// A new passkey.
    Registration,
    /// Signing in.
    Authentication,
}

impl PasskeyPurpose {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Authentication => "authentication",
        }
    }
}
