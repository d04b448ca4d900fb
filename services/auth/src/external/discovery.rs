//! What a provider says of itself: where its endpoints are and which keys it signs with.

use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use url::Url;

use super::{Provider, ProviderError, joined};
use crate::config::Protocol;
use crate::outbound::Call;

/// How long an answer is believed.
const FRESH: Duration = Duration::from_mins(10);
/// How long after an answer the keys are not asked for again, whatever tokens name.
const PAUSE: Duration = Duration::from_secs(30);

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Discovery {
    /// Who it is.
    pub issuer: String,
    /// Where browsers go.
    #[serde(deserialize_with = "url")]
    pub authorization_endpoint: Url,
    /// Where codes are traded.
    #[serde(deserialize_with = "url")]
    pub token_endpoint: Url,
    /// Where its keys are.
    #[serde(deserialize_with = "url")]
    pub jwks_uri: Url,
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// The last answers.
#[derive(Default)]
pub(super) struct Cache {
    discovery: Mutex<Option<(OffsetDateTime, Discovery)>>,
    keys: Mutex<Option<(OffsetDateTime, JwkSet)>>,
}

impl Provider {
    /// What it says of itself, asked now and then.
    pub(super) async fn discovery(&self) -> Result<Discovery, ProviderError> {
        let Protocol::Oidc { issuer, .. } = &self.config.protocol else {
            return Err(ProviderError::Answer("it is no OpenID provider".to_owned()));
        };
        let now = self.now();
        let mut cached = self.cache.discovery.lock().await;
        if let Some((at, discovery)) = &*cached
            && now < *at + FRESH
        {
            return Ok(discovery.clone());
        }
        let url = joined(issuer, ".well-known/openid-configuration")?;
        let answer = self.outbound.call(Call::get(url)).await?;
        let discovery: Discovery = answer.json()?;
        let said = discovery.issuer.trim_end_matches('/');
        let is_it = said == issuer.as_str().trim_end_matches('/');
        // Microsoft's address for accounts of any tenant names none.
        if !is_it && !said.contains("{tenantid}") {
            let message = format!("it says that its issuer is {said}");
            return Err(ProviderError::Answer(message));
        }
        *cached = Some((now, discovery.clone()));
        Ok(discovery)
    }

    /// The key of this name. One that is not known is asked for, now and then.
    pub(super) async fn key(&self, id: Option<&str>) -> Result<Jwk, ProviderError> {
        let uri = self.discovery().await?.jwks_uri;
        let now = self.now();
        let mut cached = self.cache.keys.lock().await;
        if let Some((at, keys)) = &*cached {
            let known = find(keys, id);
            let fresh = now < *at + FRESH;
            match known {
                Some(key) if fresh => return Ok(key),
                None if now < *at + PAUSE => {
                    return Err(ProviderError::IdToken("no key has its kid"));
                }
                Some(_) | None => {}
            }
        }
        let keys: JwkSet = self.outbound.call(Call::get(uri)).await?.json()?;
        let known = find(&keys, id);
        *cached = Some((now, keys));
        known.ok_or(ProviderError::IdToken("no key has its kid"))
    }
}

fn find(keys: &JwkSet, id: Option<&str>) -> Option<Jwk> {
    match id {
        Some(id) => keys.find(id).cloned(),
        None => match keys.keys.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}
