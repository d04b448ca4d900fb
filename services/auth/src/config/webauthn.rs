//! Security keys and passkeys.

use std::time::Duration;

use common::Settings;
use url::Url;

use super::{Switch, duration};

/// Who asks browsers for keys, and from which pages.
#[derive(Debug, Clone)]
pub struct WebauthnConfig {
    /// The domain that keys are made for, and whose pages alone may use them.
    pub rp_id: String,
    /// What browsers show of us.
    pub rp_name: String,
    /// The origins of pages that may ask.
    pub origins: Vec<Url>,
    /// Whether users sign in by passkeys.
    pub passkeys: Switch,
    /// How many one user may have.
    pub max_passkeys: usize,
    /// How long a browser has to answer.
    pub challenge_lifetime: Duration,
}

impl WebauthnConfig {
    /// Reads `GOTRUE_PASSKEY_…` and `GOTRUE_WEBAUTHN_…`. Unless set, keys are made for the site's
    /// host, and the site's pages may ask.
    pub fn from_settings(settings: &Settings<'_>, site_url: &Url) -> Self {
        let host = site_url.host_str().unwrap_or("localhost");
        let rp_id = settings.text_or("GOTRUE_WEBAUTHN_RP_ID", host);
        let mut origins = Vec::new();
        for text in settings.list("GOTRUE_WEBAUTHN_RP_ORIGINS") {
            match Url::parse(&text) {
                Ok(url) => origins.push(url),
                Err(_) => settings.reject("GOTRUE_WEBAUTHN_RP_ORIGINS", "has what is no URL"),
            }
        }
        if origins.is_empty() {
            origins.push(site_url.clone());
        }
        let lifetime = duration(settings, "GOTRUE_WEBAUTHN_CHALLENGE_EXPIRY_DURATION");
        Self {
            rp_name: settings.text_or("GOTRUE_WEBAUTHN_RP_DISPLAY_NAME", &rp_id),
            rp_id,
            origins,
            passkeys: Switch::read(settings, "GOTRUE_PASSKEY_ENABLED", Switch::On),
            max_passkeys: settings.parsed_or("GOTRUE_PASSKEY_MAX_PASSKEYS_PER_USER", 10),
            challenge_lifetime: lifetime.unwrap_or(Duration::from_mins(5)),
        }
    }
}
