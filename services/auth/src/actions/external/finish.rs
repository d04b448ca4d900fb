//! Coming back from a provider.

use std::time::Duration;

use common::Secret;
use url::Url;
use uuid::Uuid;

use super::account::{Resolved, foresee, resolve};
use super::refused;
use crate::actions::accounts;
use crate::actions::grant::{Grant, open_session};
use crate::app::{App, Limited};
use crate::domain::derived_key::sha256_hex;
use crate::domain::flow_state::{FlowState, ProviderTokens};
use crate::domain::session::{Client, Method};
use crate::error::refusal::{BAD_OAUTH_CALLBACK, BAD_OAUTH_STATE, PROVIDER_SAID_NO, USER_BANNED};
use crate::error::{Error, Result};
use crate::external::{Beginning, ExternalUser};
use crate::store;

/// How long somebody may take at a provider.
const PATIENCE: Duration = Duration::from_mins(10);
/// The characters of a code for a session, six random bits each.
const CODE_LENGTH: usize = 43;

/// What a browser brings back.
#[derive(Debug, Default)]
pub struct Arrival {
    /// Which sign-in it is.
    pub state: Option<String>,
    /// The provider's code.
    pub code: Option<Secret>,
    /// What the provider says instead of a code.
    pub error: Option<String>,
    /// What the browser kept.
    pub cookie: Option<Secret>,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// With a session for the browser.
    In(Box<Grant>),
    /// With a code for the client that began.
    Code(String),
}

/// Ends a sign-in, each once; also answers where the browser goes, where that is known.
pub async fn finish(app: &App, client: &Client, arrival: Arrival) -> (Option<Url>, Result<Ended>) {
    match known(app, client, &arrival).await {
        Err(error) => (None, Err(error)),
        Ok(flow) => {
            let target = flow.redirect_to.as_deref();
            let target = target.and_then(|target| app.rules.links.allowed(target));
            (target, ended(app, client, &flow, arrival).await)
        }
    }
}

/// The sign-in that this browser began, not too long ago, and that did not end yet.
async fn known(app: &App, client: &Client, arrival: &Arrival) -> Result<FlowState> {
    app.limit(Limited::Token, client)?;
    let state = arrival
        .state
        .as_deref()
        .and_then(|state| state.parse::<Uuid>().ok());
    let state = state.ok_or(BAD_OAUTH_STATE)?;
    let mut connection = app.pool.acquire().await?;
    let flow = store::flow_states::find(&mut connection, state).await?;
    let flow = flow.ok_or(BAD_OAUTH_STATE)?;
    let kept = arrival
        .cookie
        .as_ref()
        .map(|cookie| sha256_hex(cookie.expose()));
    if flow.browser_hash.is_some() && flow.browser_hash != kept {
        return Err(BAD_OAUTH_STATE.into());
    }
    let now = app.now();
    let is_first = store::flow_states::consume(&mut connection, state, now).await?;
    if !is_first || now > flow.created_at + PATIENCE {
        return Err(BAD_OAUTH_STATE.into());
    }
    Ok(flow)
}

async fn ended(app: &App, client: &Client, flow: &FlowState, arrival: Arrival) -> Result<Ended> {
    if let Some(error) = arrival.error {
        tracing::info!(
            error,
            provider = flow.provider,
            "a provider refused somebody"
        );
        return Err(PROVIDER_SAID_NO.into());
    }
    let code = arrival.code.ok_or(BAD_OAUTH_CALLBACK)?;
    let provider = app.provider(&flow.provider)?;
    let beginning = Beginning {
        state: "",
        nonce: &app.flow_secret(b"nonce", flow.id),
        verifier: &app.flow_secret(b"verifier", flow.id),
        scopes: "",
        parameters: &[],
    };
    let identified = Box::pin(provider.identify(code.expose(), &beginning)).await;
    let (external, tokens) = identified.map_err(refused)?;
    sign_in(app, client, flow, (external, tokens)).await
}

async fn sign_in(
    app: &App,
    client: &Client,
    flow: &FlowState,
    (external, tokens): (ExternalUser, ProviderTokens),
) -> Result<Ended> {
    let whose = (flow.provider.as_str(), flow.linking_target);
    let prospect = foresee(app, client, whose, &external).await?;
    let mut transaction = app.begin().await?;
    let Resolved { user, newness } =
        resolve(app, &mut transaction, client, whose, external, prospect).await?;
    if user.is_banned(app.now()) {
        return Err(USER_BANNED.into());
    }
    let newcomer = newness.newcomer(&user).cloned();
    if flow.challenge.is_some() {
        let code = common::random::token(&*app.randomness, CODE_LENGTH);
        let sealed = sealed(app, flow.id, &tokens)?;
        let who = (flow.id, user.id);
        let now = app.now();
        if !store::flow_states::issue_code(&mut transaction, who, &code, &sealed, now).await? {
            return Err(BAD_OAUTH_STATE.into());
        }
        accounts::commit(app, transaction, client, newcomer.as_ref()).await?;
        return Ok(Ended::Code(code));
    }
    store::flow_states::delete(&mut transaction, flow.id).await?;
    let opened = open_session(app, &mut transaction, client, user, Method::Oauth).await?;
    accounts::commit(app, transaction, client, newcomer.as_ref()).await?;
    let granted = opened.granted(app).await?;
    Ok(Ended::In(Box::new(Grant {
        provider_tokens: tokens,
        ..granted
    })))
}

/// A provider's tokens as they wait in the database for the client that began.
fn sealed(app: &App, flow: Uuid, tokens: &ProviderTokens) -> Result<ProviderTokens> {
    let place = flow.to_string();
    let seal = |token: &Option<String>| {
        let token = token.as_deref().map(Secret::from);
        let sealed = token.map(|token| app.seal.seal(&*app.randomness, &place, &token));
        sealed.transpose().map_err(Error::internal)
    };
    Ok(ProviderTokens {
        access_token: seal(&tokens.access_token)?,
        refresh_token: seal(&tokens.refresh_token)?,
    })
}

impl App {
    /// A provider's tokens for the client that began.
    pub fn opened(&self, flow: Uuid, tokens: ProviderTokens) -> Result<ProviderTokens> {
        let place = flow.to_string();
        let open = |token: Option<String>| {
            let opened = token.map(|token| self.seal.open(&place, &token));
            let opened = opened.transpose().map_err(Error::internal)?;
            Ok::<_, Error>(opened.map(|token| token.expose().to_owned()))
        };
        Ok(ProviderTokens {
            access_token: open(tokens.access_token)?,
            refresh_token: open(tokens.refresh_token)?,
        })
    }
}
