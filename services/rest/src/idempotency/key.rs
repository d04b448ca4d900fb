//! The key, and the digests it is stored under.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::access::Caller;
use crate::error::IdempotencyError;

/// The header's name.
const HEADER: &str = "idempotency-key";
/// The most characters of a key.
const LONGEST: usize = 255;
/// Claims that differ from one token of a caller to the next.
const PASSING: [&str; 4] = ["exp", "iat", "jti", "nbf"];
/// Headers that are part of what is asked.
const ASKING: [&str; 5] = [
    "accept",
    "accept-profile",
    "content-profile",
    "content-type",
    "prefer",
];

/// What a client calls one write, chosen by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of a request, if it has one: a string of RFC 9651 (`"…"`), or the same without
    /// quotes.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, IdempotencyError> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(IdempotencyError::Invalid("it was sent more than once"));
        }
        let text = value.to_str().unwrap_or_default().trim();
        let key = match text.strip_prefix('"') {
            Some(quoted) => unquoted(quoted).ok_or(UNCLOSED)?,
            None => text.to_owned(),
        };
        let allowed = |character: char| matches!(character, ' '..='~');
        if key.is_empty() || key.len() > LONGEST || !key.chars().all(allowed) {
            return Err(IdempotencyError::Invalid(
                "it has to be 1 to 255 characters of printable ASCII",
            ));
        }
        Ok(Some(Self(key)))
    }
}

const UNCLOSED: IdempotencyError = IdempotencyError::Invalid("it is no quoted string");

fn unquoted(rest: &str) -> Option<String> {
    let inside = rest.strip_suffix('"')?;
    let mut key = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => key.push(
                characters
                    .next()
                    .filter(|next| matches!(next, '"' | '\\'))?,
            ),
            _ => key.push(character),
        }
    }
    Some(key)
}

/// A key as it is stored: digests in hexadecimal, from which nothing can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Of the caller and the key: nobody else comes to the same.
    pub id: String,
    /// Of the request: method, path, query, body, and the headers that shape the answer.
    pub request: String,
}

impl Claim {
    /// The claim that `caller` makes with `key` on the request of `parts` and `body`.
    pub(crate) fn new(
        key: &IdempotencyKey,
        caller: &Caller,
        (parts, body): (&Parts, &Bytes),
    ) -> Self {
        let id = json!([caller.role, belonging(&caller.claims), key.0]).to_string();
        let headers = ASKING.map(|name| {
            let values = parts.headers.get_all(name).iter();
            let values: Vec<String> = values
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            values.join(", ")
        });
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let asked = json!([method, path, parts.uri.query(), headers]).to_string();
        Self {
            id: digest([id.as_bytes()]),
            request: digest([asked.as_bytes(), &[0], body]),
        }
    }
}

/// Whose the key is: the subject of the issuer, or whatever else the claims say of the caller.
fn belonging(claims: &str) -> Value {
    let mut claims: BTreeMap<String, Value> = serde_json::from_str(claims).unwrap_or_default();
    let issuer = claims.get("iss").cloned().unwrap_or_default();
    if let Some(subject) = claims.get("sub") {
        return json!({ "iss": issuer, "sub": subject });
    }
    claims.retain(|name, _| !PASSING.contains(&name.as_str()));
    json!(claims)
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    let mut text = String::with_capacity(64);
    for byte in digest.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};

    use super::*;

    fn key(value: &'static str) -> Result<Option<String>, IdempotencyError> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static(value));
        let key = IdempotencyKey::of(&headers)?;
        Ok(key.map(|key| key.0))
    }

    #[test]
    fn a_key_is_a_string_with_or_without_quotes() {
        let expected = Ok(Some("a-1".to_owned()));
        assert_eq!(key("a-1"), expected);
        assert_eq!(key("\"a-1\""), expected);
        assert_eq!(key(r#""a\"b\\""#), Ok(Some(r#"a"b\"#.to_owned())));
        assert_eq!(IdempotencyKey::of(&HeaderMap::new()), Ok(None));
        for bad in ["", "\"\"", "\"a", "\"a\"b\"", "\"a\\x\""] {
            assert!(key(bad).is_err(), "{bad}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, "x".repeat(256).parse().expect("a value"));
        assert!(IdempotencyKey::of(&headers).is_err());
    }

    fn claim(claims: &str, uri: &str, body: &'static [u8]) -> Claim {
        let caller = Caller {
            role: "authenticated".to_owned(),
            claims: claims.into(),
            authenticated: true,
            admin: false,
            rules: pg::RoleRules::Platform,
        };
        let (parts, ()) = Request::post(uri).body(()).expect("a request").into_parts();
        let key = IdempotencyKey("k".to_owned());
        Claim::new(&key, &caller, (&parts, &Bytes::from_static(body)))
    }

    #[test]
    fn a_claim_is_the_subjects_and_outlives_its_token() {
        let first = claim(r#"{"sub":"a","exp":1,"session":"x"}"#, "/t?a=1", b"{}");
        assert_eq!(first, claim(r#"{"exp":2,"sub":"a"}"#, "/t?a=1", b"{}"));
        assert_ne!(first.id, claim(r#"{"sub":"b"}"#, "/t?a=1", b"{}").id);
        assert_ne!(
            first.id,
            claim(r#"{"sub":"a","iss":"i"}"#, "/t?a=1", b"{}").id
        );
        let other = claim(r#"{"sub":"a"}"#, "/t?a=2", b"{}");
        assert_eq!(first.id, other.id);
        assert_ne!(first.request, other.request);
        assert_ne!(
            first.request,
            claim(r#"{"sub":"a"}"#, "/t?a=1", b"[]").request
        );
    }

    #[test]
    fn callers_without_a_subject_differ_by_what_else_is_claimed() {
        let first = claim(r#"{"email":"a","exp":1}"#, "/t", b"");
        assert_eq!(
            first,
            claim(r#"{"exp":2,"email":"a","jti":"9"}"#, "/t", b"")
        );
        assert_ne!(first.id, claim(r#"{"email":"b","exp":1}"#, "/t", b"").id);
    }
}
