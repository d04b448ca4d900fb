//! The platform's own address: as its users know it, and as this process reaches it.

use common::Settings;
use http::Uri;
use http::uri::{Authority, Scheme};

/// `API_EXTERNAL_URL` in its parts.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrl {
    /// The whole, without a slash at its end.
    pub(crate) text: String,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

impl PublicUrl {
    pub(super) fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        const NAME: &str = "API_EXTERNAL_URL";
        let port = settings.port("API_PORT", 8000);
        let text = settings.text_or(NAME, &format!("http://localhost:{port}"));
        let parts = text.parse().map(Uri::into_parts).ok();
        let known = |scheme: &Scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme);
        let origin = parts.and_then(|parts| parts.scheme.filter(known).zip(parts.authority));
        let Some((scheme, authority)) = origin else {
            settings.reject(NAME, "is not a URL: use one like https://api.example.com");
            return None;
        };
        Some(Self {
            text: text.trim_end_matches('/').to_owned(),
            scheme,
            authority,
        })
    }
}

/// `API_INTERNAL_URL`, or the gateway on loopback.
pub(super) fn internal(settings: &Settings<'_>) -> Option<Authority> {
    const NAME: &str = "API_INTERNAL_URL";
    let port = settings.port("API_PORT", 8000);
    let text = settings.text_or(NAME, &format!("http://127.0.0.1:{port}"));
    let parts = text.parse().map(Uri::into_parts).ok();
    let plain = parts.filter(|parts| parts.scheme == Some(Scheme::HTTP));
    let authority = plain.and_then(|parts| parts.authority);
    if authority.is_none() {
        settings.reject(NAME, "is not a plain URL: use one like http://gateway:8000");
    }
    authority
}
