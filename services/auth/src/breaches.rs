//! Passwords that others have lost: asked of a service that is told the first five characters of
//! the SHA-1 and answers all that go on from there (<https://haveibeenpwned.com/API/v3#PwnedPasswords>).

use axum::http::HeaderValue;
use common::{Secret, Settings};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use url::Url;

use crate::app::App;
use crate::domain::derived_key::hex;
use crate::domain::password::WeakPassword;
use crate::error::{Error, Result};
use crate::outbound::{Call, OutboundError};

/// What is told of a password: 20 bits of 160.
const PREFIX: usize = 5;

/// Who is asked.
#[derive(Debug, Clone)]
pub struct BreachConfig {
    url: Url,
    /// Whether a password is refused where nobody answers.
    fail_closed: bool,
}

impl BreachConfig {
    /// Reads `GOTRUE_PASSWORD_HIBP_{ENABLED,FAIL_CLOSED,URL}`.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        if !settings.flag("GOTRUE_PASSWORD_HIBP_ENABLED", false) {
            return None;
        }
        let name = "GOTRUE_PASSWORD_HIBP_URL";
        let text = settings.text_or(name, "https://api.pwnedpasswords.com/range/");
        let text = format!("{}/", text.trim_end_matches('/'));
        let url = Url::parse(&text).map_err(|_| settings.reject(name, "is not an absolute URL"));
        Some(Self {
            url: url.ok()?,
            fail_closed: settings.flag("GOTRUE_PASSWORD_HIBP_FAIL_CLOSED", false),
        })
    }
}

/// Checks a password that somebody chose: against the rules, and whether it is known to thieves.
pub async fn check_password(app: &App, password: &Secret) -> Result<()> {
    app.rules.passwords.check(password.expose())?;
    let Some(config) = &app.breaches else {
        return Ok(());
    };
    match is_known(app, config, password).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::WeakPassword(WeakPassword {
            message:
                "Password is known to be weak and easy to guess, please choose a different one."
                    .to_owned(),
            reasons: vec!["pwned"],
        })),
        Err(error) if config.fail_closed => Err(Error::internal(error)),
        Err(error) => {
            tracing::warn!(%error, "whether a password is known to thieves was not found out");
            Ok(())
        }
    }
}

async fn is_known(
    app: &App,
    config: &BreachConfig,
    password: &Secret,
) -> std::result::Result<bool, OutboundError> {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
    let hash = hex(hash.as_ref()).to_uppercase();
    let (prefix, rest) = hash.split_at(PREFIX);
    let url = config.url.join(prefix);
    let url = url.map_err(|error| OutboundError::Answer(error.to_string()))?;
    // Without padding, the length of the answer tells who listens which prefix it was.
    let call = Call::get(url).with("add-padding", HeaderValue::from_static("true"));
    let answer = app.outbound.call(call).await?;
    if !answer.status.is_success() {
        return Err(OutboundError::Answer(format!("status {}", answer.status)));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let counts = text.lines().filter_map(|line| line.trim().split_once(':'));
    let found = counts
        .into_iter()
        .any(|(suffix, count)| suffix.eq_ignore_ascii_case(rest) && count.trim() != "0");
    Ok(found)
}
