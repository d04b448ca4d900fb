//! An answer as it is kept.

use std::fmt::Write as _;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;

use crate::error::Error;

/// Tells that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Status, headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl KeptAnswer {
    /// Takes in what is about to be answered.
    pub(crate) async fn of(response: Response) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await;
        let body = body.map_err(|_| Error::Shape("an answer without its body"))?;
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = value.to_str().unwrap_or_default().to_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Self {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: body.to_bytes(),
        })
    }

    /// The answer, the first time.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    /// The same again, saying so.
    pub(crate) fn into_replay(self) -> Response {
        let mut response = self.into_response();
        let marker = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, marker);
        response
    }

    /// The body in hexadecimal.
    pub(crate) fn body_text(&self) -> String {
        let mut text = String::with_capacity(self.body.len() * 2);
        for byte in &self.body {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Reads what was stored; `None` where it is nothing of the kind.
    pub(crate) fn read(status: &str, headers: &str, body: &str) -> Option<Self> {
        Some(Self {
            status: status.parse().ok()?,
            headers: serde_json::from_str(headers).ok()?,
            body: bytes_of(body)?,
        })
    }
}

fn bytes_of(text: &str) -> Option<Bytes> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs.iter().map(|[high, low]| {
        let value = digit(*high)? * 16 + digit(*low)?;
        u8::try_from(value).ok()
    });
    bytes.collect::<Option<Vec<u8>>>().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back() {
        let answer = KeptAnswer {
            status: 201,
            headers: vec![("location".to_owned(), "/t?id=eq.1".to_owned())],
            body: Bytes::from_static(b"[\x00\xff]"),
        };
        let headers = r#"[["location","/t?id=eq.1"]]"#;
        let read = KeptAnswer::read("201", headers, &answer.body_text());
        assert_eq!(read, Some(answer));
        assert_eq!(KeptAnswer::read("201", "[]", "0"), None);
        assert_eq!(KeptAnswer::read("201", "[]", "0x"), None);
    }
}
