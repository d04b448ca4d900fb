//! `GET /authorize`, `GET /user/identities/authorize` and `/callback`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use common::Secret;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::redirects::{to_error, with_code, with_session};
use super::requests::challenge;
use crate::actions::caller::Caller;
use crate::actions::external::{Arrival, Begun, Browser, Ended, Leaving, begin, finish};
use crate::app::App;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::{RedirectTo, body};

/// What a browser keeps between leaving and coming back.
const COOKIE_NAME: &str = "sb-auth-flow";
const COOKIE_SECONDS: u32 = 600;

/// What is ours of a query; the rest is passed on to the provider.
const OURS: [&str; 13] = [
    "provider",
    "scopes",
    "redirect_to",
    "invite_token",
    "code_challenge",
    "code_challenge_method",
    "skip_http_redirect",
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "state",
    "nonce",
];

type Pairs = Vec<(String, String)>;

/// Sends a browser to a provider.
pub(super) async fn authorize(
    State(app): State<Arc<App>>,
    client: Client,
    RedirectTo(redirect_to): RedirectTo,
    query: std::result::Result<Query<Pairs>, QueryRejection>,
) -> Result<Response> {
    let leaving = leaving(query, redirect_to)?;
    let begun = Box::pin(begin(&app, &client, None, leaving)).await?;
    Ok(sent(&app, begun))
}

/// Sends a signed-in user to a provider, whose identity is linked then.
pub(super) async fn link_identity(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    RedirectTo(redirect_to): RedirectTo,
    query: std::result::Result<Query<Pairs>, QueryRejection>,
) -> Result<Response> {
    let leaving = leaving(query, redirect_to)?;
    let begun = Box::pin(begin(&app, &client, Some(&caller), leaving)).await?;
    Ok(sent(&app, begun))
}

fn leaving(
    query: std::result::Result<Query<Pairs>, QueryRejection>,
    redirect_to: Url,
) -> Result<Leaving> {
    let Query(pairs) = query.map_err(|_| Error::validation("The query cannot be read"))?;
    let get = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let provider = get("provider").filter(|name| !name.is_empty());
    let provider = provider.ok_or_else(|| Error::validation("Unsupported provider: missing"))?;
    let challenge = challenge(get("code_challenge_method"), get("code_challenge"))?;
    let is_sent = get("skip_http_redirect") == Some("true");
    let browser = if is_sent {
        Browser::IsSent
    } else {
        Browser::Goes
    };
    let is_theirs = |(name, _): &&(String, String)| !OURS.contains(&name.as_str());
    Ok(Leaving {
        provider: provider.to_owned(),
        scopes: get("scopes").unwrap_or_default().to_owned(),
        parameters: pairs.iter().filter(is_theirs).cloned().collect(),
        redirect_to,
        challenge,
        browser,
    })
}

fn sent(app: &App, begun: Begun) -> Response {
    let Some(cookie) = begun.cookie else {
        return Json(json!({ "url": begun.url.as_str() })).into_response();
    };
    let cookie = set_cookie(app, &cookie, COOKIE_SECONDS);
    led(StatusCode::FOUND, begun.url, cookie)
}

/// Ours alone, for a while. A provider that answers by a form posts from another site: only a
/// cookie that says so, over TLS, comes along.
fn set_cookie(app: &App, value: &str, seconds: u32) -> Option<HeaderValue> {
    let is_tls = app.rules.issuer.starts_with("https:");
    let reach = if is_tls {
        "SameSite=None; Secure"
    } else {
        "SameSite=Lax"
    };
    let text = format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; Max-Age={seconds}; {reach}");
    HeaderValue::try_from(text).ok()
}

fn led(status: StatusCode, target: Url, cookie: Option<HeaderValue>) -> Response {
    let headers: [(HeaderName, String); 2] = [
        (LOCATION, target.into()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    let mut response = (status, headers).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

#[derive(Default, Deserialize)]
pub(super) struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Takes a browser back from a provider, and leads it on.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
    query: std::result::Result<Query<CallbackQuery>, QueryRejection>,
) -> Response {
    let query = query.map(|Query(query)| query).unwrap_or_default();
    arrived(&app, &client, &headers, query).await
}

/// The same of a provider that answers by a form.
pub(super) async fn callback_form(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    let body = body(request, &app).await?;
    let form = serde_urlencoded::from_bytes(&body);
    let form = form.map_err(|_| Error::validation("The form cannot be read"))?;
    Ok(arrived(&app, &client, &headers, form).await)
}

async fn arrived(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
    query: CallbackQuery,
) -> Response {
    let arrival = Arrival {
        state: query.state,
        code: query.code.map(Secret::from),
        error: query.error,
        cookie: cookie(headers),
    };
    let (target, ended) = Box::pin(finish(app, client, arrival)).await;
    let target = target.unwrap_or_else(|| app.rules.links.site_url.clone());
    let target = match ended {
        Ok(Ended::In(grant)) => with_session(target, &grant, None),
        Ok(Ended::Code(code)) => with_code(target, &code),
        Err(error) => to_error(target, &error),
    };
    led(StatusCode::SEE_OTHER, target, set_cookie(app, "", 0))
}

fn cookie(headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(COOKIE).iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE_NAME);
    found.map(|(_, value)| Secret::from(value))
}
