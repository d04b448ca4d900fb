//! A token's header, read for what it may say and refused for what it must not.

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use crate::error::TokenError;

/// Parameters that bring a key along, point to one, or change what is signed. A token of ours
/// needs none of them.
const FORBIDDEN: &[&str] = &[
    "jwk", "jku", "x5u", "x5c", "crit", "b64", "cty", "enc", "zip",
];

/// What a header is allowed to decide: which of our keys is meant.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<&'a str>,
}

impl<'a> Header<'a> {
    pub(crate) fn read(members: &'a Map<String, Value>) -> Result<Self, TokenError> {
        if FORBIDDEN.iter().any(|name| members.contains_key(*name)) {
            return Err(TokenError::Header);
        }
        let kind = members.get("typ").map(Value::as_str);
        if !kind.is_none_or(|kind| kind.is_some_and(is_access_token_type)) {
            return Err(TokenError::Header);
        }
        let algorithm = match members.get("alg").and_then(Value::as_str) {
            Some("HS256") => Algorithm::HS256,
            Some("RS256") => Algorithm::RS256,
            Some("ES256") => Algorithm::ES256,
            Some(_) | None => return Err(TokenError::UnknownKey),
        };
        let key_id = match members.get("kid") {
            None => None,
            Some(id) => Some(id.as_str().ok_or(TokenError::Header)?),
        };
        Ok(Self { algorithm, key_id })
    }
}

/// `JWT` and RFC 9068's `at+jwt`; media types compare without case.
fn is_access_token_type(kind: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|accepted| kind.eq_ignore_ascii_case(accepted))
}
