//! The rules a token's claims are held to.

use serde_json::{Map, Value};

use crate::error::TokenError;
use crate::verifier::TokenRules;

/// Seconds that clocks of two machines may differ: for `nbf` and `iat` only. `exp` has none, so
/// that no expired token is accepted.
const LEEWAY: i64 = 30;

/// The longest name Postgres has for a role, in bytes.
const MAX_ROLE_BYTES: usize = 63;

type Claims = Map<String, Value>;

/// What the rules found out on the way.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) role: String,
    pub(crate) subject: Option<String>,
    pub(crate) expires_at: i64,
}

/// Checks every claim that has a meaning here; `now` in seconds since 1970.
pub(crate) fn check(claims: &Claims, rules: &TokenRules, now: i64) -> Result<Checked, TokenError> {
    let role = role(claims)?;
    let subject = text(claims, "sub")?;
    check_kind(claims)?;
    check_audience(claims, rules)?;
    check_issuer(claims, rules)?;
    let expires_at = instant(claims, "exp")?.ok_or(TokenError::Claim("exp"))?;
    let not_before = instant(claims, "nbf")?;
    let issued_at = instant(claims, "iat")?;
    if expires_at <= now {
        return Err(TokenError::Expired);
    }
    // An API key has no session that began: a clock set back must not lock everybody out.
    let is_key = subject.is_none();
    let starts = not_before.max(issued_at.filter(|_| !is_key));
    if starts.is_some_and(|starts| starts > now + LEEWAY) {
        return Err(TokenError::NotYetValid);
    }
    Ok(Checked {
        role,
        subject,
        expires_at,
    })
}

fn role(claims: &Claims) -> Result<String, TokenError> {
    let role = text(claims, "role")?.ok_or(TokenError::Claim("role"))?;
    let is_name = (1..=MAX_ROLE_BYTES).contains(&role.len()) && !role.contains('\0');
    if is_name {
        Ok(role)
    } else {
        Err(TokenError::Claim("role"))
    }
}

/// Refresh and id tokens say what they are; neither opens anything.
fn check_kind(claims: &Claims) -> Result<(), TokenError> {
    for name in ["typ", "type", "token_type", "token_use"] {
        let kind = text(claims, name)?;
        let is_access = |kind: &str| {
            ["access", "access_token", "bearer", "jwt", "at+jwt"]
                .iter()
                .any(|accepted| kind.eq_ignore_ascii_case(accepted))
        };
        if !kind.is_none_or(|kind| is_access(&kind)) {
            return Err(TokenError::Claim("typ"));
        }
    }
    // Only id tokens bind themselves to another token or to an authorization code.
    for name in ["at_hash", "c_hash"] {
        if claims.contains_key(name) {
            return Err(TokenError::Claim("typ"));
        }
    }
    Ok(())
}

fn check_audience(claims: &Claims, rules: &TokenRules) -> Result<(), TokenError> {
    let is_ours = |audience: &Value| audience.as_str() == Some(rules.audience.as_str());
    let accepted = match claims.get("aud") {
        None => true,
        Some(Value::Array(audiences)) => {
            audiences.iter().all(Value::is_string) && audiences.iter().any(is_ours)
        }
        Some(audience) => is_ours(audience),
    };
    accepted.then_some(()).ok_or(TokenError::Claim("aud"))
}

fn check_issuer(claims: &Claims, rules: &TokenRules) -> Result<(), TokenError> {
    let issuer = text(claims, "iss")?;
    let accepted = issuer.is_none_or(|issuer| rules.issuers.contains(&issuer));
    accepted.then_some(()).ok_or(TokenError::Claim("iss"))
}

/// The named claim where it is there: a string, or the token is refused.
fn text(claims: &Claims, name: &'static str) -> Result<Option<String>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(TokenError::Claim(name)),
    }
}

/// The named time where it is there: whole seconds after 1970, or the token is refused.
fn instant(claims: &Claims, name: &'static str) -> Result<Option<i64>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(seconds) if seconds >= 0 => Ok(Some(seconds)),
            Some(_) | None => Err(TokenError::Claim(name)),
        },
    }
}
