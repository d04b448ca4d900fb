//! Second factors.

use std::time::Duration;

use common::Settings;

use super::{Switch, duration};

/// Which second factors there are.
#[derive(Debug, Clone, Copy)]
pub struct FactorRules {
    /// How many one user may have.
    pub max_enrolled: usize,
    /// How long a user has to show one that was asked for.
    pub challenge_lifetime: Duration,
    /// Whether authenticator apps are enrolled.
    pub totp: Switch,
    /// Whether their codes are taken.
    pub totp_verify: Switch,
    /// Whether phones are enrolled.
    pub phone: Switch,
    /// Whether codes sent to them are taken.
    pub phone_verify: Switch,
    /// Whether security keys are enrolled.
    pub webauthn: Switch,
    /// Whether their answers are taken.
    pub webauthn_verify: Switch,
}

impl FactorRules {
    /// Reads `GOTRUE_MFA_…`.
    pub fn from_settings(settings: &Settings<'_>) -> Self {
        let read = |name: &str, default| {
            Switch::read(settings, &format!("GOTRUE_MFA_{name}_ENABLED"), default)
        };
        let lifetime = match settings.text("GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION") {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(settings.seconds("GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION", Duration::ZERO))
            }
            Some(_) => duration(settings, "GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION"),
            None => None,
        };
        Self {
            max_enrolled: settings.parsed_or("GOTRUE_MFA_MAX_ENROLLED_FACTORS", 10),
            challenge_lifetime: lifetime.unwrap_or(Duration::from_mins(5)),
            totp: read("TOTP_ENROLL", Switch::On),
            totp_verify: read("TOTP_VERIFY", Switch::On),
            phone: read("PHONE_ENROLL", Switch::Off),
            phone_verify: read("PHONE_VERIFY", Switch::Off),
            webauthn: read("WEB_AUTHN_ENROLL", Switch::Off),
            webauthn_verify: read("WEB_AUTHN_VERIFY", Switch::Off),
        }
    }
}
