//! Leaving for a provider.

use url::Url;
use uuid::Uuid;

use super::refused;
use crate::actions::caller::Caller;
use crate::app::{App, Limited};
use crate::domain::derived_key::sha256_hex;
use crate::domain::flow_state::{FlowState, ProviderTokens};
use crate::domain::pkce::CodeChallenge;
use crate::domain::session::{Client, Method};
use crate::error::Result;
use crate::error::refusal::MANUAL_LINKING_DISABLED;
use crate::external::Beginning;
use crate::store;

/// The characters of what a browser keeps, six random bits each.
const COOKIE_LENGTH: usize = 43;

/// Who is leaving, and where they want to end.
#[derive(Debug)]
pub struct Leaving {
    /// The provider's name.
    pub provider: String,
    /// What is asked for besides.
    pub scopes: String,
    /// What the provider is told besides.
    pub parameters: Vec<(String, String)>,
    /// Where the browser goes at the end.
    pub redirect_to: Url,
    /// What the client that began has to show at the end.
    pub challenge: Option<CodeChallenge>,
    /// Whether the browser itself asks, and can keep something.
    pub browser: Browser,
}

/// Who asks for the provider's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// A browser that goes there at once.
    Goes,
    /// A program that sends one there.
    IsSent,
}

/// A sign-in that began.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: Url,
    /// What the browser keeps until it comes back.
    pub cookie: Option<String>,
}

/// Begins a sign-in, or the linking of another identity to `caller`.
pub async fn begin(
    app: &App,
    client: &Client,
    caller: Option<&Caller>,
    leaving: Leaving,
) -> Result<Begun> {
    app.limit(Limited::Token, client)?;
    if caller.is_some() && !app.rules.manual_linking.is_on() {
        return Err(MANUAL_LINKING_DISABLED.into());
    }
    let provider = app.provider(&leaving.provider)?;
    let id: Uuid = app.randomness.uuid();
    let cookie = (leaving.browser == Browser::Goes)
        .then(|| common::random::token(&*app.randomness, COOKIE_LENGTH));
    let beginning = Beginning {
        state: &id.to_string(),
        nonce: &app.flow_secret(b"nonce", id),
        verifier: &app.flow_secret(b"verifier", id),
        scopes: &leaving.scopes,
        parameters: &leaving.parameters,
    };
    let url = provider.authorize_url(&beginning).await.map_err(refused)?;
    let flow = FlowState {
        id,
        user_id: None,
        challenge: leaving.challenge,
        provider: leaving.provider,
        method: Method::Oauth.as_str().to_owned(),
        code_issued_at: None,
        created_at: app.now(),
        linking_target: caller.map(|caller| caller.user.id),
        redirect_to: Some(leaving.redirect_to.into()),
        provider_tokens: ProviderTokens::default(),
        browser_hash: cookie.as_deref().map(sha256_hex),
    };
    let mut connection = app.pool.acquire().await?;
    store::flow_states::insert(&mut connection, &flow).await?;
    Ok(Begun { url, cookie })
}
