//! Proof that somebody is there: a token of hCaptcha or Turnstile, checked at its provider.

use common::{Secret, Settings};
use serde::Deserialize;
use url::Url;

use crate::app::App;
use crate::domain::session::Client;
use crate::error::refusal::CAPTCHA_FAILED;
use crate::error::{Error, Result};
use crate::outbound::Call;

/// Who checks proofs.
#[derive(Debug, Clone)]
pub struct CaptchaConfig {
    url: Url,
    secret: Secret,
}

impl CaptchaConfig {
    /// Reads `GOTRUE_SECURITY_CAPTCHA_{ENABLED,PROVIDER,SECRET,URL}`.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        if !settings.flag("GOTRUE_SECURITY_CAPTCHA_ENABLED", false) {
            return None;
        }
        let secret = settings.secret("GOTRUE_SECURITY_CAPTCHA_SECRET", 1);
        let default = match settings
            .text_or("GOTRUE_SECURITY_CAPTCHA_PROVIDER", "hcaptcha")
            .as_str()
        {
            "hcaptcha" => "https://api.hcaptcha.com/siteverify",
            "turnstile" => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            _ => {
                let problem = "must be hcaptcha or turnstile";
                settings.reject("GOTRUE_SECURITY_CAPTCHA_PROVIDER", problem);
                return None;
            }
        };
        let text = settings.text_or("GOTRUE_SECURITY_CAPTCHA_URL", default);
        let url = Url::parse(&text)
            .map_err(|_| settings.reject("GOTRUE_SECURITY_CAPTCHA_URL", "is not an absolute URL"));
        Some(Self {
            url: url.ok()?,
            secret: secret?,
        })
    }
}

/// What requests carry of it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct MetaSecurity {
    captcha_token: Option<String>,
}

#[derive(Deserialize)]
struct Verdict {
    success: bool,
}

/// Refuses whoever has no proof, where one is asked for.
pub(crate) async fn check(
    app: &App,
    client: &Client,
    security: Option<&MetaSecurity>,
) -> Result<()> {
    let Some(config) = &app.captcha else {
        return Ok(());
    };
    let token = security.and_then(|security| security.captcha_token.as_deref());
    let token = token
        .filter(|token| !token.is_empty())
        .ok_or(CAPTCHA_FAILED)?;
    let form = [
        ("secret", config.secret.expose()),
        ("response", token),
        ("remoteip", &client.ip.to_string()),
    ];
    let form = serde_urlencoded::to_string(form).map_err(Error::internal)?;
    let call = Call::post(
        config.url.clone(),
        "application/x-www-form-urlencoded",
        form,
    );
    let answer = app.outbound.call(call).await.map_err(Error::internal)?;
    let verdict: Verdict = answer.json().map_err(Error::internal)?;
    if verdict.success {
        Ok(())
    } else {
        Err(CAPTCHA_FAILED.into())
    }
}
