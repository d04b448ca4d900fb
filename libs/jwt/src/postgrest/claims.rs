//! The rules claims are held to: less than the platform's own, as the protocol documents them.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// Seconds that the clocks of two machines may differ.
const LEEWAY: i64 = 30;

/// Checks the times and the audience; `now` in seconds since 1970. Answers the second at which the
/// token must no longer be accepted.
pub(super) fn check(
    claims: &Map<String, Value>,
    audience: Option<&str>,
    now: i64,
) -> Result<Option<i64>, Refusal> {
    let expires = instant(claims, "exp")?;
    let not_before = instant(claims, "nbf")?;
    let issued = instant(claims, "iat")?;
    if expires.is_some_and(|end| end.saturating_add(LEEWAY) < now) {
        return Err(Refusal::Expired);
    }
    let is_ahead = |time: i64| time > now.saturating_add(LEEWAY);
    if not_before.is_some_and(is_ahead) {
        return Err(Refusal::NotYetValid);
    }
    if issued.is_some_and(is_ahead) {
        return Err(Refusal::IssuedInFuture);
    }
    check_audience(claims.get("aud"), audience)?;
    Ok(expires.map(|end| end.saturating_add(LEEWAY)))
}

/// Whole seconds; a null counts as absent.
fn instant(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, Refusal> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float becomes whole seconds, and saturates"
            )]
            let seconds = number
                .as_i64()
                .or_else(|| number.as_f64().map(|seconds| seconds.floor() as i64));
            seconds.map(Some).ok_or(Refusal::NotNumber(name))
        }
        Some(_) => Err(Refusal::NotNumber(name)),
    }
}

/// Without an audience of ours every audience is ours; a token without one is for everybody.
fn check_audience(claim: Option<&Value>, ours: Option<&str>) -> Result<(), Refusal> {
    let matches = |audience: &str| ours.is_none_or(|ours| ours == audience);
    let accepted = match claim {
        None | Some(Value::Null) => true,
        Some(Value::String(audience)) => matches(audience),
        Some(Value::Array(audiences)) => {
            let texts: Option<Vec<&str>> = audiences.iter().map(Value::as_str).collect();
            let texts = texts.ok_or(Refusal::AudienceType)?;
            texts.is_empty() || texts.into_iter().any(matches)
        }
        Some(_) => return Err(Refusal::AudienceType),
    };
    accepted.then_some(()).ok_or(Refusal::NotInAudience)
}
