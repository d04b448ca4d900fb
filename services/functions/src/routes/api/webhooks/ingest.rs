//! `POST /webhooks/ingest/{function}`: a message, signed with HMAC-SHA256 of its body in
//! `x-webhook-signature` (hexadecimal, `sha256=` before it or not). It is in the queue when it is
//! answered, and delivered like every other call: at least once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::store::queue::{self, NewEvent};
use crate::store::webhooks::{self, WebhookRow};

const SIGNATURE: &str = "x-webhook-signature";
/// Of a message; it becomes a row, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Headers that say who somebody is, or how the message came.
const WITHHELD: [&str; 5] = ["authorization", "apikey", "cookie", "connection", SIGNATURE];

pub(in crate::routes::api) async fn ingest(
    State(state): State<Arc<AppState>>,
    Path(function): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    if body.len() > MAX_BYTES {
        return Err(ApiError::Invalid(format!(
            "a message has at most {MAX_BYTES} bytes"
        )));
    }
    let known = webhooks::list(&state.pool, None, Some(&function)).await?;
    let signature = signature(&headers).ok_or(ApiError::Signature)?;
    let vault = state.vault()?;
    // Whether there is such a function is not told to whoever cannot sign.
    let sender = known
        .into_iter()
        .filter(|webhook| webhook.is_active)
        .find(|webhook| {
            let secret = vault.open(&webhook.sealed_secret, &WebhookRow::place(webhook.id));
            secret.is_ok_and(|secret| is_signed(&body, secret.expose().as_bytes(), &signature))
        })
        .ok_or(ApiError::Signature)?;
    let mut connection = state.pool.acquire().await?;
    let event = NewEvent {
        function: sender.function_id,
        kind: "webhook",
        source: &sender.name,
        payload: json!({
            "webhook": sender.name, "headers": told(&headers), "body": content(&body),
        }),
    };
    let id = queue::insert(&mut connection, &event).await?;
    state.wake.notify_one();
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}

fn signature(headers: &HeaderMap) -> Option<Vec<u8>> {
    let text = headers.get(SIGNATURE)?.to_str().ok()?.trim();
    let text = text.strip_prefix("sha256=").unwrap_or(text);
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).ok())
        .collect()
}

/// In time that does not depend on where the two differ.
fn is_signed(body: &[u8], secret: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

fn told(headers: &HeaderMap) -> BTreeMap<String, String> {
    let told = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let value = value.to_str().ok()?;
        (!WITHHELD.contains(&name)).then(|| (name.to_owned(), value.to_owned()))
    });
    told.collect()
}

/// JSON where it is some, else text. Postgres' JSON has no NUL.
fn content(body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if !text.contains("\\u0000") => value,
        Ok(_) | Err(_) => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn signatures_are_read_with_and_without_their_prefix() {
        let of = |text: &'static str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(SIGNATURE),
                HeaderValue::from_static(text),
            )]);
            signature(&headers)
        };
        // HMAC-SHA256 of "what do ya want for nothing?" under "Jefe" (RFC 4231, section 4.3).
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let known = of(hex).expect("a signature");
        assert!(is_signed(b"what do ya want for nothing?", b"Jefe", &known));
        assert!(!is_signed(b"what do ya want for nothing!", b"Jefe", &known));
        let prefixed = "sha256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843";
        assert_eq!(of(prefixed), Some(known));
        for bad in ["", "sha256=", "xyz", "5bdc"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
