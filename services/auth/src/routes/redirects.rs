//! Where browsers are led, and what they take along.

use axum::http::StatusCode;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::actions::grant::Grant;
use crate::error::Error;

/// With a session in the fragment, which browsers keep to themselves.
pub(super) fn with_session(mut target: Url, grant: &Grant, kind: Option<&str>) -> Url {
    let mut fragment = Serializer::new(String::new());
    fragment
        .append_pair("access_token", &grant.access_token)
        .append_pair("expires_at", &grant.expires_at.to_string())
        .append_pair("expires_in", &grant.expires_in.to_string());
    if let Some(token) = &grant.provider_tokens.access_token {
        fragment.append_pair("provider_token", token);
    }
    if let Some(token) = &grant.provider_tokens.refresh_token {
        fragment.append_pair("provider_refresh_token", token);
    }
    fragment
        .append_pair("refresh_token", grant.refresh_token.expose())
        .append_pair("token_type", "bearer");
    if let Some(kind) = kind {
        fragment.append_pair("type", kind);
    }
    target.set_fragment(Some(&fragment.finish()));
    target
}

/// With a code that only the client that began can trade for the session.
pub(super) fn with_code(mut target: Url, code: &str) -> Url {
    target.query_pairs_mut().append_pair("code", code);
    target
}

/// With a message in the fragment.
pub(super) fn with_message(mut target: Url, message: &str) -> Url {
    let mut fragment = Serializer::new(String::new());
    fragment.append_pair("message", message);
    target.set_fragment(Some(&fragment.finish()));
    target
}

/// With what went wrong, in the query and in the fragment: clients read either.
pub(super) fn to_error(mut target: Url, error: &Error) -> Url {
    if error.status().is_server_error() {
        common::error::report("auth", error);
    }
    let name = match error.status() {
        StatusCode::UNAUTHORIZED => "unauthorized_client",
        StatusCode::FORBIDDEN => "access_denied",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    error_of(&mut target, name, error.code(), &error.public_message());
    target
}

/// With an error of these words.
pub(super) fn error_of(target: &mut Url, name: &str, code: &str, description: &str) {
    let pairs = [
        ("error", name),
        ("error_code", code),
        ("error_description", description),
    ];
    target.query_pairs_mut().extend_pairs(pairs);
    let mut fragment = Serializer::new(String::new());
    fragment.extend_pairs(pairs);
    target.set_fragment(Some(&fragment.finish()));
}
