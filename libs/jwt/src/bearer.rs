//! The bearer token of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Why an `Authorization` header has no bearer token in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// The header stands more than once: two readers may each believe another.
    #[error("there is more than one Authorization header")]
    Repeated,
    /// Another scheme (`Basic`, `AWS4-HMAC-SHA256`), or no scheme at all.
    #[error("the Authorization header is not of the Bearer scheme")]
    OtherScheme,
    /// The scheme is there and no token after it, or bytes that no token has.
    #[error("the Authorization header has no valid bearer token")]
    Malformed,
}

/// The token of the one `Authorization: Bearer` header; `None` where there is no such header. The
/// scheme's name is read without case (RFC 9110, section 11.1).
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(BearerError::Repeated);
    }
    let text = value.to_str().map_err(|_| BearerError::Malformed)?.trim();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::OtherScheme);
    }
    let token = token.trim_start();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BearerError::Malformed);
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&'static str]) -> Result<Option<String>, BearerError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn one_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c "] {
            assert_eq!(read(&[value]), Ok(Some("a.b.c".to_owned())), "{value}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        let cases: [(&[&'static str], BearerError); 7] = [
            (&["Bearer a", "Bearer a"], BearerError::Repeated),
            (&["Basic dXNlcjpwYXNz"], BearerError::OtherScheme),
            (&["a.b.c"], BearerError::OtherScheme),
            (&[""], BearerError::OtherScheme),
            (&["Bearer"], BearerError::Malformed),
            (&["Bearer "], BearerError::Malformed),
            (&["Bearer a b"], BearerError::Malformed),
        ];
        for (values, expected) in cases {
            assert_eq!(read(values), Err(expected), "{values:?}");
        }
    }
}
