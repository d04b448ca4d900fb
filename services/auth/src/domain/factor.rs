//! Second factors.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::UserId;

/// What a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactorType {
    /// An authenticator app (RFC 6238).
    Totp,
    /// A phone that codes are sent to.
    Phone,
    /// A security key.
    Webauthn,
}

impl FactorType {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Phone => "phone",
            Self::Webauthn => "webauthn",
        }
    }
}

/// Whether a factor was shown to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactorStatus {
    /// Not yet.
    Unverified,
    /// It was.
    Verified,
}

impl FactorStatus {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Verified => "verified",
        }
    }
}

/// A second factor, without its secret.
#[derive(Debug, Clone, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "factor_type is its name everywhere"
)]
pub struct Factor {
    /// The factor's id.
    pub id: Uuid,
    /// What the user calls it.
    pub friendly_name: Option<String>,
    /// What it is.
    pub factor_type: FactorType,
    /// Whether it was shown to work.
    pub status: FactorStatus,
    /// The phone that codes are sent to.
    pub phone: Option<String>,
    /// When it was enrolled.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When the row was last written.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// When it was last asked for.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub last_challenged_at: Option<OffsetDateTime>,
}

impl Factor {
    /// Whether it counts.
    pub fn is_verified(&self) -> bool {
        self.status == FactorStatus::Verified
    }
}

/// A factor that is not stored yet.
#[derive(Debug, Clone)]
pub struct NewFactor {
    /// The factor's id.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// What the user calls it.
    pub friendly_name: String,
    /// What it is.
    pub factor_type: FactorType,
    /// What an authenticator app was given, sealed.
    pub sealed_secret: Option<String>,
    /// The phone that codes are sent to.
    pub phone: Option<String>,
}

/// What a user was asked to show.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The challenge's id.
    pub id: Uuid,
    /// What is stored of the code that was sent.
    pub code_hash: Option<String>,
    /// When it was asked.
    pub created_at: OffsetDateTime,
    /// When it was answered.
    pub verified_at: Option<OffsetDateTime>,
    /// What a security key was asked, sealed into no secret: public state of the exchange.
    pub webauthn_state: Option<serde_json::Value>,
}
