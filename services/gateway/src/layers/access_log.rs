//! One line a request, without what would let its reader act as the client.

use std::time::Duration;

use axum::extract::Request;
use common::RequestId;
use http::{HeaderValue, Method, StatusCode, Uri};
use tracing::Level;

use super::forwarded;
use crate::config::AccessLog;

/// Query parameters that are keys, tokens or codes.
const SECRETS: &[&str] = &[
    "access_token",
    "apikey",
    "client_secret",
    "code",
    "jwt",
    "password",
    "refresh_token",
    "token",
    "token_hash",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];

/// What a line says of the request, kept while the request itself goes on. Nothing is kept where
/// nobody listens.
#[derive(Debug)]
pub(crate) struct Line(Option<Entry>);

#[derive(Debug)]
struct Entry {
    level: AccessLog,
    method: Method,
    uri: Uri,
    client: Option<HeaderValue>,
}

impl Line {
    /// Begins a line, if it will be written. `X-Forwarded-For` must be ours by now.
    pub(crate) fn begin(level: AccessLog, request: &Request) -> Self {
        let listening = match level {
            AccessLog::Info => tracing::enabled!(target: "access", Level::INFO),
            AccessLog::Debug => tracing::enabled!(target: "access", Level::DEBUG),
        };
        Self(listening.then(|| Entry {
            level,
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: request.headers().get(forwarded::FOR).cloned(),
        }))
    }

    /// Writes the line.
    pub(crate) fn end(self, id: &RequestId, status: StatusCode, service: &str, took: Duration) {
        let Some(entry) = self.0 else { return };
        let request_id = id.as_str();
        let (method, path) = (entry.method.as_str(), entry.uri.path());
        let query = entry.uri.query().map(redact).unwrap_or_default();
        let client = entry
            .client
            .as_ref()
            .and_then(|client| client.to_str().ok());
        let client = client.unwrap_or_default();
        let status = status.as_u16();
        let duration_ms = took.as_secs_f64() * 1000.0;
        match entry.level {
            AccessLog::Info => tracing::info!(
                target: "access",
                request_id, method, path, query, status, service, client, duration_ms
            ),
            AccessLog::Debug => tracing::debug!(
                target: "access",
                request_id, method, path, query, status, service, client, duration_ms
            ),
        }
    }
}

fn redact(query: &str) -> String {
    let shown = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or(parameter);
        if SECRETS
            .iter()
            .any(|secret| name.eq_ignore_ascii_case(secret))
        {
            format!("{name}=…")
        } else {
            parameter.to_owned()
        }
    };
    let parameters: Vec<_> = query.split('&').map(shown).collect();
    parameters.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_query_is_shown() {
        let query = "apikey=k&vsn=2.0.0&Token=t&select=token&X-Amz-Signature=s&code=c=d&flag";
        let expected = "apikey=…&vsn=2.0.0&Token=…&select=token&X-Amz-Signature=…&code=…&flag";
        assert_eq!(redact(query), expected);
    }
}
