//! Other providers that users sign in by. A provider is configuration, not code.

use common::{Secret, Settings};
use url::Url;

use super::Switch;

/// A provider that users sign in by.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// Its name: `github`.
    pub name: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Whom it knows us as; further ids are those of apps whose id tokens are taken.
    pub client_ids: Vec<String>,
    /// Our password there.
    pub secret: Secret,
    /// Where it sends browsers back to.
    pub redirect_uri: Url,
    /// What is asked for besides what a request asks for.
    pub scopes: &'static str,
    /// Whether somebody without an e-mail address gets an account.
    pub email_optional: Switch,
    /// Whether id tokens are taken without looking at their nonce.
    pub skip_nonce_check: Switch,
}

/// How a provider is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// By `OpenID` Connect: it says the rest itself, under its issuer.
    Oidc {
        /// Its issuer.
        issuer: Url,
        /// Whether it answers by a form that the browser posts.
        form_post: bool,
    },
    /// By GitHub's own.
    GitHub {
        /// Where users sign in.
        site: Url,
        /// Where it is asked.
        api: Url,
    },
}

/// What is known of a provider before it is configured.
struct Preset {
    name: &'static str,
    issuer: Option<&'static str>,
    scopes: &'static str,
}

const PRESETS: [Preset; 6] = [
    preset(
        "google",
        Some("https://accounts.google.com"),
        "openid email profile",
    ),
    preset("gitlab", Some("https://gitlab.com"), "openid email profile"),
    preset(
        "apple",
        Some("https://appleid.apple.com"),
        "openid email name",
    ),
    preset(
        "azure",
        Some("https://login.microsoftonline.com/common/v2.0"),
        "openid email profile",
    ),
    preset("keycloak", None, "openid email profile"),
    preset("oidc", None, "openid email profile"),
];

const fn preset(name: &'static str, issuer: Option<&'static str>, scopes: &'static str) -> Preset {
    Preset {
        name,
        issuer,
        scopes,
    }
}

/// Reads `GOTRUE_EXTERNAL_<NAME>_…` of every provider that is enabled: the known ones, and those
/// that `GOTRUE_EXTERNAL_OIDC_PROVIDERS` names.
pub(super) fn read(settings: &Settings<'_>) -> Vec<ProviderConfig> {
    let mut providers: Vec<ProviderConfig> = Vec::new();
    providers.extend(github(settings));
    for preset in PRESETS {
        providers.extend(oidc(settings, preset.name, &preset));
    }
    for name in settings.list("GOTRUE_EXTERNAL_OIDC_PROVIDERS") {
        let name = name.to_ascii_lowercase();
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || providers.iter().any(|known| known.name == name) {
            let problem = format!("{name:?} is no name of a further provider");
            settings.reject("GOTRUE_EXTERNAL_OIDC_PROVIDERS", problem);
            continue;
        }
        let generic = preset("oidc", None, "openid email profile");
        providers.extend(oidc(settings, &name, &generic));
    }
    providers
}

fn oidc(settings: &Settings<'_>, name: &str, preset: &Preset) -> Option<ProviderConfig> {
    if !enabled(settings, name) {
        return None;
    }
    let variable = setting(name, "URL");
    let text = settings.text(&variable);
    let text = text.or_else(|| preset.issuer.map(str::to_owned));
    let Some(text) = text else {
        settings.reject(&variable, "is missing: the issuer of the provider");
        return None;
    };
    let issuer = url(settings, &variable, &text);
    let form_post = name == "apple";
    let issuer = issuer?;
    let protocol = Protocol::Oidc { issuer, form_post };
    common(settings, name, protocol, preset.scopes)
}

fn github(settings: &Settings<'_>) -> Option<ProviderConfig> {
    if !enabled(settings, "github") {
        return None;
    }
    let variable = setting("github", "URL");
    let (site, api) = match settings.text(&variable) {
        None => (
            "https://github.com".to_owned(),
            "https://api.github.com".to_owned(),
        ),
        Some(site) => {
            let api = format!("{}/api/v3", site.trim_end_matches('/'));
            (site, api)
        }
    };
    let site = url(settings, &variable, &site);
    let api = url(settings, &variable, &api);
    let protocol = Protocol::GitHub {
        site: site?,
        api: api?,
    };
    common(settings, "github", protocol, "user:email")
}

fn common(
    settings: &Settings<'_>,
    name: &str,
    protocol: Protocol,
    scopes: &'static str,
) -> Option<ProviderConfig> {
    let client_ids = settings.list(&setting(name, "CLIENT_ID"));
    if client_ids.is_empty() {
        settings.reject(
            &setting(name, "CLIENT_ID"),
            "is missing: set it in the env file",
        );
    }
    let secret = settings.secret(&setting(name, "SECRET"), 1);
    let variable = setting(name, "REDIRECT_URI");
    let external = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
    let default = format!("{}/auth/v1/callback", external.trim_end_matches('/'));
    let redirect_uri = url(settings, &variable, &settings.text_or(&variable, &default));
    Some(ProviderConfig {
        name: name.to_owned(),
        protocol,
        client_ids,
        secret: secret?,
        redirect_uri: redirect_uri?,
        scopes,
        email_optional: Switch::read(settings, &setting(name, "EMAIL_OPTIONAL"), Switch::Off),
        skip_nonce_check: Switch::read(settings, &setting(name, "SKIP_NONCE_CHECK"), Switch::Off),
    })
}

fn enabled(settings: &Settings<'_>, name: &str) -> bool {
    settings.flag(&setting(name, "ENABLED"), false)
}

fn setting(name: &str, what: &str) -> String {
    format!("GOTRUE_EXTERNAL_{}_{what}", name.to_ascii_uppercase())
}

fn url(settings: &Settings<'_>, name: &str, text: &str) -> Option<Url> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        settings.reject(name, "is not an absolute URL");
    }
    url
}
