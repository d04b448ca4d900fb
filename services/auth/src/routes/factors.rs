//! `/factors`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use common::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::requests::{channel, given, phone};
use crate::actions::caller::Caller;
use crate::actions::factors::{self, Enrolling, Evidence, Shown};
use crate::app::App;
use crate::domain::session::Client;
use crate::error::refusal::{FACTOR_NOT_FOUND, WEBAUTHN_RP_UNKNOWN};
use crate::error::{Error, Result};
use crate::extract::{JsonBody, body, parse};
use crate::wire::SessionResponse;

#[derive(Deserialize)]
pub(super) struct EnrollRequest {
    friendly_name: Option<String>,
    factor_type: Option<String>,
    issuer: Option<String>,
    phone: Option<String>,
}

/// Enrols a second factor; an authenticator app is told its secret, this once.
pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<EnrollRequest>,
) -> Result<Json<Value>> {
    let enrolling = match request.factor_type.as_deref() {
        Some("totp") => Enrolling::Totp {
            issuer: given(request.issuer),
        },
        Some("phone") => Enrolling::Phone(phone(&request.phone.unwrap_or_default())?),
        Some("webauthn") => Enrolling::Webauthn,
        Some(_) | None => {
            return Err(Error::validation(
                "factor_type needs to be totp, phone, or webauthn",
            ));
        }
    };
    let name = given(request.friendly_name);
    let enrolled = factors::enroll(&app, &client, &caller, name, enrolling).await?;
    let mut answer = json!({ "id": enrolled.id, "friendly_name": enrolled.friendly_name });
    match enrolled.shown {
        Shown::Totp {
            secret,
            address,
            picture,
        } => {
            answer["type"] = json!("totp");
            answer["totp"] = json!({
                "qr_code": picture.expose(), "secret": secret.expose(), "uri": address.expose(),
            });
        }
        Shown::Phone(number) => {
            answer["type"] = json!("phone");
            answer["phone"] = json!(number);
        }
        Shown::Webauthn => answer["type"] = json!("webauthn"),
    }
    Ok(Json(answer))
}

#[derive(Default, Deserialize)]
struct ChallengeRequest {
    channel: Option<String>,
    #[serde(alias = "web_authn")]
    webauthn: Option<RelyingPartyRequest>,
}

/// Whom a page thinks it asks for. Which domain keys are made for is the operator's to say.
#[derive(Default, Deserialize)]
struct RelyingPartyRequest {
    #[serde(rename = "rpId", alias = "rp_id")]
    rp_id: Option<String>,
}

impl RelyingPartyRequest {
    fn check(&self, app: &App) -> Result<()> {
        match &self.rp_id {
            Some(rp_id) if *rp_id != app.webauthn.rp_id => Err(WEBAUTHN_RP_UNKNOWN.into()),
            Some(_) | None => Ok(()),
        }
    }
}

/// Asks for a factor.
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    client: Client,
    request: axum::extract::Request,
) -> Result<Json<Value>> {
    let body = body(request, &app).await?;
    let request: ChallengeRequest = if body.is_empty() {
        ChallengeRequest::default()
    } else {
        parse(&body)?
    };
    request.webauthn.unwrap_or_default().check(&app)?;
    let channel = channel(request.channel.as_deref())?;
    let asked = factors::ask(&app, &client, &caller, factor_id(&id)?, channel).await?;
    let mut answer = json!({
        "id": asked.id,
        "type": asked.factor_type,
        "expires_at": asked.expires_at.unix_timestamp(),
    });
    if let Some(key) = asked.webauthn {
        answer["webauthn"] = json!({
            "type": key.kind.as_str(),
            "credential_options": { "publicKey": key.options },
        });
    }
    Ok(Json(answer))
}

#[derive(Deserialize)]
pub(super) struct ShowRequest {
    challenge_id: Option<Uuid>,
    code: Option<String>,
    #[serde(alias = "web_authn")]
    webauthn: Option<KeyAnswer>,
}

#[derive(Deserialize)]
struct KeyAnswer {
    credential_response: Option<Value>,
}

/// Takes what shows a factor, and answers the session's new tokens.
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<ShowRequest>,
) -> Result<Json<SessionResponse>> {
    let challenge = request
        .challenge_id
        .ok_or_else(|| Error::validation("challenge_id required"))?;
    let key = request.webauthn.and_then(|key| key.credential_response);
    let evidence = match (given(request.code), key) {
        (Some(code), None) => Evidence::Code(Secret::from(code)),
        (None, Some(answer)) => Evidence::Key(answer),
        (None, None) => return Err(Error::validation("code required")),
        (Some(_), Some(_)) => {
            return Err(Error::validation(
                "Either a code or a security key is shown",
            ));
        }
    };
    let ids = (factor_id(&id)?, challenge);
    let grant = Box::pin(factors::show(&app, &client, &caller, ids, &evidence)).await?;
    Ok(Json(SessionResponse::from(grant)))
}

/// Gives a factor up.
pub(super) async fn unenroll(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    client: Client,
) -> Result<Json<Value>> {
    let id = factor_id(&id)?;
    factors::unenroll(&app, &client, &caller, id).await?;
    Ok(Json(json!({ "id": id })))
}

/// The id in a path; one that is none names no factor.
pub(super) fn factor_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| FACTOR_NOT_FOUND.into())
}
