//! Values of response headers, and those that SQL chose.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::execute::Outcome;
use crate::request::query::encode;

/// `0-9/100`, `*/100`, `0-9/*` (RFC 9110, section 14.4).
pub(super) fn content_range(first: i64, last: i64, total: Option<i64>) -> String {
    let range = if first <= last && total != Some(0) {
        format!("{first}-{last}")
    } else {
        "*".to_owned()
    };
    match total {
        Some(total) => format!("{range}/{total}"),
        None => format!("{range}/*"),
    }
}

/// `id=eq.1`, from the key as a JSON object of texts.
pub(super) fn location(key: &str) -> Option<String> {
    let key: Map<String, Value> = serde_json::from_str(key).ok()?;
    let parts: Vec<String> = key
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(value) => format!("{}=eq.{}", encode(name), encode(value)),
            None => format!("{}=is.null", encode(name)),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("&"))
}

/// Puts `response.headers` in the place of headers of the same name, and answers the status:
/// `response.status` where SQL set it, else `status`.
pub(super) fn overridden(
    headers: &mut HeaderMap,
    status: StatusCode,
    outcome: &Outcome,
) -> Result<StatusCode, ApiError> {
    if let Some(text) = &outcome.headers {
        let chosen: Vec<BTreeMap<String, String>> =
            serde_json::from_str(text).map_err(|_| ApiError::ResponseHeaders)?;
        if chosen.iter().any(|header| header.len() != 1) {
            return Err(ApiError::ResponseHeaders);
        }
        let chosen: Result<Vec<_>, ApiError> = chosen
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let name = HeaderName::try_from(name).map_err(|_| ApiError::ResponseHeaders)?;
                let value = HeaderValue::try_from(value).map_err(|_| ApiError::ResponseHeaders)?;
                Ok((name, value))
            })
            .collect();
        let chosen = chosen?;
        for (name, _) in &chosen {
            headers.remove(name);
        }
        for (name, value) in chosen {
            headers.append(name, value);
        }
    }
    match &outcome.status {
        None => Ok(status),
        Some(text) => {
            let status = text.parse().ok();
            status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .ok_or(ApiError::ResponseStatus)
        }
    }
}
