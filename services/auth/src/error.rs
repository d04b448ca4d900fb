//! Every way a request can fail: its status, its code, what the client is told.

mod convert;
mod dialect;
pub mod refusal;

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::BoxError;

pub(crate) use dialect::{gotrue, selfdb};

use crate::domain::password::WeakPassword;
use crate::error::refusal::Refusal;
use crate::limiter::TooOften;

/// What a handler answers.
pub type Result<T> = std::result::Result<T, Error>;

/// A request that fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such route.
    #[error("Not found")]
    RouteNotFound,
    /// The route has no such method.
    #[error("Method not allowed")]
    MethodNotAllowed,
    /// The body is no JSON that can be used.
    #[error("Could not parse request body as JSON: {0}")]
    BadJson(String),
    /// The body is longer than any this service needs.
    #[error("Request body is too large")]
    BodyTooLarge,
    /// A parameter that cannot be used.
    #[error("{0}")]
    Validation(Cow<'static, str>),
    /// A parameter that can be read, and not be acted on.
    #[error("{0}")]
    Unprocessable(Cow<'static, str>),
    /// No bearer token.
    #[error("This endpoint requires a valid Bearer token")]
    NoAuthorization,
    /// A bearer token that does not verify.
    #[error("invalid JWT: {0}")]
    BadJwt(String),
    /// A token of nobody: a key's.
    #[error("invalid claim: missing sub claim")]
    NotAUser,
    /// The token's user is gone.
    #[error("User from sub claim in JWT does not exist")]
    TokenUserNotFound,
    /// The token's session was signed out.
    #[error("Session from session_id claim in JWT does not exist")]
    SessionNotFound,
    /// Only for administrators.
    #[error("User not allowed")]
    NotAdmin,
    /// No such user.
    #[error("User not found")]
    UserNotFound,
    /// Rows outside this service refer to the user.
    #[error("Other rows refer to the user: delete them first, or delete the user softly")]
    UserReferenced,
    /// The user may not sign in for now.
    #[error("User is banned")]
    UserBanned,
    /// Unknown user or wrong password: which, is nobody's business.
    #[error("Invalid login credentials")]
    InvalidCredentials,
    /// A grant this server does not know.
    #[error("unsupported_grant_type")]
    UnsupportedGrant,
    /// The address is not confirmed.
    #[error("Email not confirmed")]
    EmailNotConfirmed,
    /// The number is not confirmed.
    #[error("Phone not confirmed")]
    PhoneNotConfirmed,
    /// Nobody may sign up.
    #[error("Signups not allowed for this instance")]
    SignUpDisabled,
    /// Nobody may sign up anonymously.
    #[error("Anonymous sign-ins are disabled")]
    AnonymousDisabled,
    /// There are no accounts by e-mail address.
    #[error("Email logins are disabled")]
    EmailDisabled,
    /// There are no accounts by phone number.
    #[error("Phone logins are disabled")]
    PhoneDisabled,
    /// The address or number has an account.
    #[error("User already registered")]
    UserAlreadyExists,
    /// Another user has the address.
    #[error("A user with this email address has already been registered")]
    EmailExists,
    /// Another user has the number.
    #[error("A user with this phone number has already been registered")]
    PhoneExists,
    /// The password is against the rules.
    #[error("{}", .0.message)]
    WeakPassword(WeakPassword),
    /// The new password is the old one.
    #[error("New password should be different from the old password.")]
    SamePassword,
    /// A new password needs a fresh session.
    #[error("Password update requires reauthentication")]
    ReauthenticationNeeded,
    /// Single sign-on owns the account.
    #[error("Updating email, phone, password of a SSO account only possible via SSO")]
    UserSsoManaged,
    /// An unknown refresh token.
    #[error("Invalid Refresh Token: Refresh Token Not Found")]
    RefreshTokenNotFound,
    /// A refresh token that somebody used before.
    #[error("Invalid Refresh Token: Already Used")]
    RefreshTokenAlreadyUsed,
    /// A refresh token of a banned user.
    #[error("Invalid Refresh Token: User Banned")]
    RefreshUserBanned,
    /// A refresh token whose session has ended.
    #[error("Invalid Refresh Token: Session Expired{0}")]
    SessionExpired(&'static str),
    /// Refused for a reason that its code tells.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// A hook of the operator's refused.
    #[error("{}", .0.message)]
    Hook(HookRefusal),
    /// A hook of the operator's refused an attempt.
    #[error("{1}")]
    Rejected(Rejection, String),
    /// A provider is away.
    #[error("The provider cannot be reached")]
    ProviderUnreachable(#[source] BoxError),
    /// Too many messages.
    #[error("{}", .0.message())]
    MessagesLimited(TooManyMessages),
    /// Too often.
    #[error("Request rate limit reached")]
    RateLimited(TooOften),
    /// Too much at once.
    #[error("The server is busy, try again in a moment")]
    Busy,
    /// Postgres is away.
    #[error("The service is temporarily unavailable")]
    Unavailable(#[source] BoxError),
    /// A fault of ours.
    #[error("Unexpected failure, please check server logs for more information")]
    Internal(#[source] BoxError),
}

impl Error {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadJson(_)
            | Self::Validation(_)
            | Self::UserBanned
            | Self::InvalidCredentials
            | Self::UnsupportedGrant
            | Self::EmailNotConfirmed
            | Self::PhoneNotConfirmed
            | Self::EmailDisabled
            | Self::PhoneDisabled
            | Self::ReauthenticationNeeded
            | Self::RefreshTokenNotFound
            | Self::RefreshTokenAlreadyUsed
            | Self::RefreshUserBanned
            | Self::SessionExpired(_)
            | Self::Rejected(Rejection::Password, _) => StatusCode::BAD_REQUEST,
            Self::NoAuthorization | Self::BadJwt(_) => StatusCode::UNAUTHORIZED,
            Self::NotAUser | Self::TokenUserNotFound | Self::SessionNotFound | Self::NotAdmin => {
                StatusCode::FORBIDDEN
            }
            Self::RouteNotFound | Self::UserNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UserReferenced => StatusCode::CONFLICT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unprocessable(_)
            | Self::SignUpDisabled
            | Self::AnonymousDisabled
            | Self::UserAlreadyExists
            | Self::EmailExists
            | Self::PhoneExists
            | Self::WeakPassword(_)
            | Self::SamePassword
            | Self::UserSsoManaged => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) => refusal.status,
            Self::Hook(refusal) => refusal.status,
            Self::Rejected(Rejection::Factor, _) => StatusCode::FORBIDDEN,
            Self::ProviderUnreachable(_) => StatusCode::BAD_GATEWAY,
            Self::RateLimited(_) | Self::MessagesLimited(_) | Self::Busy => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code that programs tell errors apart by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RouteNotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BadJson(_) => "bad_json",
            Self::BodyTooLarge | Self::Validation(_) | Self::Unprocessable(_) => {
                "validation_failed"
            }
            Self::NoAuthorization => "no_authorization",
            Self::BadJwt(_) | Self::NotAUser => "bad_jwt",
            Self::TokenUserNotFound | Self::UserNotFound => "user_not_found",
            Self::SessionNotFound => "session_not_found",
            Self::NotAdmin => "not_admin",
            Self::UserReferenced => "conflict",
            Self::UserBanned | Self::RefreshUserBanned => "user_banned",
            Self::InvalidCredentials
            | Self::UnsupportedGrant
            | Self::Rejected(Rejection::Password, _) => "invalid_credentials",
            Self::EmailNotConfirmed => "email_not_confirmed",
            Self::PhoneNotConfirmed => "phone_not_confirmed",
            Self::SignUpDisabled => "signup_disabled",
            Self::AnonymousDisabled => "anonymous_provider_disabled",
            Self::EmailDisabled => "email_provider_disabled",
            Self::PhoneDisabled => "phone_provider_disabled",
            Self::UserAlreadyExists => "user_already_exists",
            Self::EmailExists => "email_exists",
            Self::PhoneExists => "phone_exists",
            Self::WeakPassword(_) => "weak_password",
            Self::SamePassword => "same_password",
            Self::ReauthenticationNeeded => "reauthentication_needed",
            Self::UserSsoManaged => "user_sso_managed",
            Self::RefreshTokenNotFound => "refresh_token_not_found",
            Self::RefreshTokenAlreadyUsed => "refresh_token_already_used",
            Self::SessionExpired(_) => "session_expired",
            Self::Refused(refusal) => refusal.code,
            Self::Hook(refusal) => refusal.code(),
            Self::Rejected(Rejection::Factor, _) => "mfa_verification_rejected",
            Self::MessagesLimited(limited) => limited.medium.over_limit(),
            Self::RateLimited(_) | Self::Busy => "over_request_rate_limit",
            Self::Unavailable(_) => "service_unavailable",
            Self::Internal(_) | Self::ProviderUnreachable(_) => "unexpected_failure",
        }
    }

    /// What the client is told: the display text, which no source is part of.
    pub fn public_message(&self) -> String {
        self.to_string()
    }

    /// After how many seconds asking again makes sense.
    fn retry_after_seconds(&self) -> Option<u64> {
        if let Self::RateLimited(TooOften(pause))
        | Self::MessagesLimited(TooManyMessages { pause, .. }) = self
        {
            return Some(pause.as_secs() + 1);
        }
        matches!(self, Self::Busy | Self::Unavailable(_)).then_some(1)
    }

    /// An [`Error::Validation`].
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Validation(message.into())
    }

    /// An [`Error::Internal`].
    pub fn internal(error: impl Into<BoxError>) -> Self {
        Self::Internal(error.into())
    }
}

/// What was attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// A password.
    Password,
    /// A second factor.
    Factor,
}

/// What a hook refuses, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRefusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the client is told.
    pub message: String,
}

impl HookRefusal {
    fn code(&self) -> &'static str {
        if self.status.is_server_error() {
            "unexpected_failure"
        } else {
            "hook_refused"
        }
    }
}

/// What messages are sent by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Letters.
    Email,
    /// Text messages.
    Sms,
}

impl Medium {
    fn over_limit(self) -> &'static str {
        match self {
            Self::Email => "over_email_send_rate_limit",
            Self::Sms => "over_sms_send_rate_limit",
        }
    }
}

/// A message that may be sent again after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyMessages {
    /// What it would be sent by.
    pub medium: Medium,
    /// Whether one user got one just before, or one address asked for too many.
    pub same_user: bool,
    /// After how long.
    pub pause: std::time::Duration,
}

impl TooManyMessages {
    fn message(&self) -> String {
        match (self.same_user, self.medium) {
            (true, _) => format!(
                "For security purposes, you can only request this after {} seconds.",
                self.pause.as_secs().max(1)
            ),
            (false, Medium::Email) => "email rate limit exceeded".to_owned(),
            (false, Medium::Sms) => "SMS rate limit exceeded".to_owned(),
        }
    }
}

/// Carries the error to [`gotrue`] or [`selfdb`], which write its body: only they know which
/// dialect the request spoke.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if self.status().is_server_error() {
            common::error::report("auth", &self);
        }
        let mut response = self.status().into_response();
        response
            .extensions_mut()
            .insert(dialect::ErrorBody::from(&self));
        response
    }
}
