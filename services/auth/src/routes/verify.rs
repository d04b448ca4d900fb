//! `GET` and `POST /verify`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use common::Secret;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::redirects::{to_error, with_code, with_message, with_session};
use super::requests::{email, given, phone};
use crate::actions::verify::{self, Proof, Verified, Wanted};
use crate::app::App;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::domain::verification::VerificationType;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, RedirectTo};
use crate::wire::SessionResponse;

const HALF: &str =
    "Confirmation link accepted. Please proceed to confirm link sent to the other email";

#[derive(Deserialize)]
pub(super) struct LinkQuery {
    token: Option<String>,
    token_hash: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Follows a link: a browser is led on, with a session, a code for one, or what went wrong.
pub(super) async fn follow_link(
    State(app): State<Arc<App>>,
    client: Client,
    RedirectTo(redirect_to): RedirectTo,
    query: std::result::Result<Query<LinkQuery>, QueryRejection>,
) -> Response {
    let query = query.map_err(|_| Error::validation("The query cannot be read"));
    let target = match query {
        Ok(Query(query)) => followed(&app, &client, redirect_to.clone(), query).await,
        Err(error) => Err(error),
    };
    let target = target.unwrap_or_else(|error| to_error(redirect_to, &error));
    let headers: [(HeaderName, String); 2] = [
        (LOCATION, target.into()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

async fn followed(app: &App, client: &Client, target: Url, query: LinkQuery) -> Result<Url> {
    let kind = kind(query.kind.as_deref())?;
    let token = given(query.token).or(given(query.token_hash));
    let token = token.ok_or_else(missing_token)?;
    let proof = Proof::Link(Secret::from(token));
    match verify::verify(app, client, kind, &proof, Wanted::AsBegun).await? {
        Verified::In(grant) => Ok(with_session(target, &grant, Some(kind.as_str()))),
        Verified::Code(code) => Ok(with_code(target, &code)),
        Verified::Half => Ok(with_message(target, HALF)),
    }
}

#[derive(Deserialize)]
pub(super) struct VerifyRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    token: Option<String>,
    token_hash: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

/// Takes a link's token or a typed code, and answers a session.
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    client: Client,
    JsonBody(request): JsonBody<VerifyRequest>,
) -> Result<Response> {
    let kind = kind(request.kind.as_deref())?;
    let proof = proof(kind, request)?;
    match verify::verify(&app, &client, kind, &proof, Wanted::Session).await? {
        Verified::In(grant) => Ok(Json(SessionResponse::from(*grant)).into_response()),
        Verified::Half | Verified::Code(_) => {
            Ok(Json(json!({ "code": 200, "msg": HALF })).into_response())
        }
    }
}

fn kind(name: Option<&str>) -> Result<VerificationType> {
    match name {
        None | Some("") => Err(Error::validation("Verify requires a verification type")),
        Some(name) => VerificationType::from_name(name)
            .ok_or_else(|| Error::validation("Invalid email verification type")),
    }
}

fn missing_token() -> Error {
    Error::validation("Verify requires a token or a token hash")
}

fn proof(kind: VerificationType, request: VerifyRequest) -> Result<Proof> {
    let (address, number) = (given(request.email), given(request.phone));
    match (given(request.token), given(request.token_hash)) {
        (None, None) => Err(missing_token()),
        (Some(_), Some(_)) => Err(Error::validation(
            "Verify requires either a token or a token hash",
        )),
        (None, Some(_)) if address.is_some() || number.is_some() => Err(Error::validation(
            "Only the token_hash and type should be provided",
        )),
        (None, Some(hash)) => Ok(Proof::Link(Secret::from(hash))),
        (Some(code), None) => {
            let contact = match (address, number) {
                (Some(text), None) if !kind.is_phone() => Contact::Email(email(&text)?),
                (None, Some(text)) if kind.is_phone() => Contact::Phone(phone(&text)?),
                (None | Some(_), None | Some(_)) => {
                    return Err(Error::validation(
                        "Only an email address or phone number should be provided on verify",
                    ));
                }
            };
            Ok(Proof::Code(contact, Secret::from(code)))
        }
    }
}
