//! Other providers: where users sign in, and what the provider then says of them.

mod discovery;
mod github;
mod id_token;

pub use discovery::Discovery;
pub use id_token::IdTokenCheck;

use std::sync::Arc;

use common::{BoxError, Clock};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

use crate::config::{Protocol, ProviderConfig};
use crate::domain::email::EmailAddress;
use crate::domain::flow_state::ProviderTokens;
use crate::domain::metadata::Metadata;
use crate::outbound::{Call, Outbound, OutboundError};
use discovery::Cache;

/// A provider, and what it said of itself.
pub struct Provider {
    /// How it is configured.
    pub config: ProviderConfig,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    cache: Cache,
}

/// What a provider says of somebody.
#[derive(Debug, Clone)]
pub struct ExternalUser {
    /// The provider's id of them.
    pub subject: String,
    /// Their address.
    pub email: Option<EmailAddress>,
    /// Whether the provider knows that it is theirs.
    pub email_verified: bool,
    /// All that is kept of what it says.
    pub claims: Metadata,
}

/// What begins a sign-in at a provider.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// What it brings back.
    pub state: &'a str,
    /// What the id token repeats.
    pub nonce: &'a str,
    /// What is shown when its code is traded.
    pub verifier: &'a str,
    /// What is asked for besides.
    pub scopes: &'a str,
    /// What the provider is told besides.
    pub parameters: &'a [(String, String)],
}

/// Why a provider did not tell who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It could not be asked.
    #[error("the provider could not be asked")]
    Unreachable(#[from] OutboundError),
    /// It refused, or said what cannot be used.
    #[error("the provider's answer cannot be used: {0}")]
    Answer(String),
    /// An id token that is not one of this provider for us.
    #[error("the id token is not acceptable: {0}")]
    IdToken(&'static str),
}

impl From<BoxError> for ProviderError {
    fn from(error: BoxError) -> Self {
        Self::Answer(error.to_string())
    }
}

#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Provider {
    /// A provider that nobody asked yet.
    pub fn new(config: ProviderConfig, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            outbound,
            clock,
            cache: Cache::default(),
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    fn client_id(&self) -> &str {
        self.config.client_ids.first().map_or("", String::as_str)
    }

    /// Where a browser goes to sign in.
    pub async fn authorize_url(&self, beginning: &Beginning<'_>) -> Result<Url, ProviderError> {
        let mut url = match &self.config.protocol {
            Protocol::GitHub { site, .. } => joined(site, "login/oauth/authorize")?,
            Protocol::Oidc { .. } => self.discovery().await?.authorization_endpoint,
        };
        let mut scopes = self.config.scopes.to_owned();
        for scope in beginning.scopes.split_whitespace() {
            if !scopes.split(' ').any(|known| known == scope) {
                scopes = format!("{scopes} {scope}");
            }
        }
        let challenge = challenge(beginning.verifier);
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", self.client_id())
            .append_pair("redirect_uri", self.config.redirect_uri.as_str())
            .append_pair("response_type", "code")
            .append_pair("scope", &scopes)
            .append_pair("state", beginning.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if let Protocol::Oidc { form_post, .. } = &self.config.protocol {
            query.append_pair("nonce", beginning.nonce);
            if *form_post {
                query.append_pair("response_mode", "form_post");
            }
        }
        for (name, value) in beginning.parameters {
            query.append_pair(name, value);
        }
        drop(query);
        Ok(url)
    }

    /// Trades the code that a browser brought for who it is.
    pub async fn identify(
        &self,
        code: &str,
        beginning: &Beginning<'_>,
    ) -> Result<(ExternalUser, ProviderTokens), ProviderError> {
        let endpoint = match &self.config.protocol {
            Protocol::GitHub { site, .. } => joined(site, "login/oauth/access_token")?,
            Protocol::Oidc { .. } => self.discovery().await?.token_endpoint,
        };
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.config.redirect_uri.as_str()),
            ("client_id", self.client_id()),
            ("client_secret", self.config.secret.expose()),
            ("code_verifier", beginning.verifier),
        ];
        let form = serde_urlencoded::to_string(form).map_err(|e| BoxError::from(e.to_string()))?;
        let call = Call::post(endpoint, "application/x-www-form-urlencoded", form);
        let answer = self.outbound.call(call.accept_json()).await?;
        let answer: TokenAnswer = answer.json()?;
        if let Some(error) = answer.error {
            let description = answer.error_description.unwrap_or_default();
            return Err(ProviderError::Answer(format!("{error}: {description}")));
        }
        let tokens = ProviderTokens {
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
        };
        let access_token = tokens.access_token.as_deref().unwrap_or_default();
        let user = match &self.config.protocol {
            Protocol::GitHub { api, .. } => self.github_user(api, access_token).await?,
            Protocol::Oidc { .. } => {
                let id_token = answer
                    .id_token
                    .ok_or(ProviderError::IdToken("it is missing"))?;
                let check = IdTokenCheck::Nonce(beginning.nonce);
                self.read_id_token(&id_token, &check).await?
            }
        };
        Ok((user, tokens))
    }
}

fn challenge(verifier: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(verifier.as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

/// A path under an address that may have one itself.
fn joined(base: &Url, path: &str) -> Result<Url, ProviderError> {
    let text = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|error| ProviderError::Answer(error.to_string()))
}
