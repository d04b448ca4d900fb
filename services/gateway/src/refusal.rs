//! What the gateway itself answers instead of a service, in one JSON shape.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// Why a request is not answered by a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A request that is not HTTP as we speak it; says what is wrong.
    BadRequest(&'static str),
    /// The route needs an API key and there is none.
    NoKey,
    /// There is an API key, and it is none of ours.
    InvalidKey,
    /// The bearer token is not valid, and there is no API key either.
    InvalidToken,
    /// A socket from a page of an origin that is not on the list.
    Origin,
    /// No route matches.
    NotFound,
    /// The page knows other methods.
    Method,
    /// The client stopped sending in the middle of a body.
    Stalled,
    /// The body is longer than this many bytes.
    TooLarge(u64),
    /// Something of ours broke.
    Internal,
    /// The service answered nonsense, or closed the connection half-way.
    BadGateway,
    /// The service is not there at the moment; the request did not reach it.
    Unavailable,
    /// As many requests are in flight as the service is given.
    Busy,
    /// The service took too long.
    TimedOut,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NoKey | Self::InvalidKey | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Unavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::NoKey => "no_api_key",
            Self::InvalidKey => "invalid_api_key",
            Self::InvalidToken => "invalid_token",
            Self::Origin => "origin_not_allowed",
            Self::NotFound => "route_not_found",
            Self::Method => "method_not_allowed",
            Self::Stalled => "request_timeout",
            Self::TooLarge(_) => "body_too_large",
            Self::Internal => "internal_error",
            Self::BadGateway => "upstream_failed",
            Self::Unavailable => "upstream_unavailable",
            Self::Busy => "too_many_requests_in_flight",
            Self::TimedOut => "upstream_timeout",
        }
    }

    fn message(self) -> String {
        let text = match self {
            Self::BadRequest(problem) => problem,
            Self::NoKey => "No API key found in request",
            Self::InvalidKey => "Invalid API key",
            Self::InvalidToken => "Invalid or expired token",
            Self::Origin => "This origin may not open sockets",
            Self::NotFound => "No route matches this path",
            Self::Method => "This path does not know this method",
            Self::Stalled => "The request body stopped arriving",
            Self::TooLarge(limit) => return format!("The request body exceeds {limit} bytes"),
            Self::Internal => "Something went wrong on our side",
            Self::BadGateway => "The service broke off its answer",
            Self::Unavailable => "The service is not available at the moment",
            Self::Busy => "The service is busy",
            Self::TimedOut => "The service took too long to answer",
        };
        text.to_owned()
    }

    /// The body; the two refusals of a key are to the letter what hosted Supabase answers.
    fn body(self) -> Value {
        match self {
            Self::NoKey => json!({
                "message": self.message(),
                "hint": "No `apikey` request header or url param was found.",
            }),
            Self::InvalidKey => json!({
                "message": self.message(),
                "hint": "Double check your Supabase `anon` or `service_role` API key.",
            }),
            Self::BadRequest(_)
            | Self::InvalidToken
            | Self::Origin
            | Self::NotFound
            | Self::Method
            | Self::Stalled
            | Self::TooLarge(_)
            | Self::Internal
            | Self::BadGateway
            | Self::Unavailable
            | Self::Busy
            | Self::TimedOut => json!({ "code": self.code(), "message": self.message() }),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
