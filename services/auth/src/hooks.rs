//! The operator's own code, asked at certain moments: a function of the database, or a server that
//! is sent signed requests (standard-webhooks).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pg::QualifiedIdent;
use pg::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection, Row as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;
use crate::config::{HookConfig, HookTarget};
use crate::domain::derived_key::hmac_sha256;
use crate::error::refusal::{HOOK_PAYLOAD_TOO_LARGE, HOOK_TIMEOUT};
use crate::error::{Error, HookRefusal, Result};
use crate::outbound::{Call, OutboundError};

/// How long a server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a server is asked that says it is busy.
const ATTEMPTS: usize = 3;
/// The most bytes of an answer.
const MAX_ANSWER: usize = 200 * 1024;

/// The moments there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookName {
    /// Before an access token is signed.
    CustomAccessToken,
    /// Instead of sending a letter.
    SendEmail,
    /// Instead of sending a text message.
    SendSms,
    /// After a second factor was shown.
    MfaVerificationAttempt,
    /// After a password was shown.
    PasswordVerificationAttempt,
    /// Before an account is made.
    BeforeUserCreated,
    /// After an account was made.
    AfterUserCreated,
}

impl HookName {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::CustomAccessToken,
        Self::SendEmail,
        Self::SendSms,
        Self::MfaVerificationAttempt,
        Self::PasswordVerificationAttempt,
        Self::BeforeUserCreated,
        Self::AfterUserCreated,
    ];

    /// What its settings' names have.
    pub fn setting(self) -> &'static str {
        match self {
            Self::CustomAccessToken => "CUSTOM_ACCESS_TOKEN",
            Self::SendEmail => "SEND_EMAIL",
            Self::SendSms => "SEND_SMS",
            Self::MfaVerificationAttempt => "MFA_VERIFICATION_ATTEMPT",
            Self::PasswordVerificationAttempt => "PASSWORD_VERIFICATION_ATTEMPT",
            Self::BeforeUserCreated => "BEFORE_USER_CREATED",
            Self::AfterUserCreated => "AFTER_USER_CREATED",
        }
    }
}

/// What a hook decides about an attempt.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Decision {
    #[serde(rename = "decision")]
    outcome: String,
    message: Option<String>,
    /// Whether the user's sessions end.
    pub should_logout_user: bool,
}

impl Decision {
    /// Whether the attempt is refused.
    pub fn is_rejection(&self) -> bool {
        self.outcome == "reject"
    }

    /// What the user is told.
    pub fn message(self) -> String {
        let message = self.message.filter(|message| !message.is_empty());
        message.unwrap_or_else(|| "Further attempts will be rejected.".to_owned())
    }
}

/// What requests are signed with.
#[derive(Clone)]
pub struct HookSecret(Arc<[u8]>);

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(…)")
    }
}

impl HookSecret {
    /// A secret of these bytes.
    pub fn new(key: Vec<u8>) -> Self {
        Self(key.into())
    }

    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let message = format!("{id}.{timestamp}.{body}");
        let signature = hmac_sha256(&self.0, message.as_bytes());
        format!("v1,{}", STANDARD.encode(signature))
    }
}

impl App {
    /// Whether somebody is asked at this moment.
    pub fn has_hook(&self, name: HookName) -> bool {
        self.hooks.iter().any(|hook| hook.name == name)
    }

    /// Whether it is a server that is asked at this moment.
    pub fn has_server_hook(&self, name: HookName) -> bool {
        let is_server = |hook: &HookConfig| matches!(hook.target, HookTarget::Http { .. });
        self.hooks
            .iter()
            .any(|hook| hook.name == name && is_server(hook))
    }

    /// Asks, where somebody is to be asked; their refusal is the request's. A function is called
    /// within the caller's transaction.
    pub async fn ask_hook_within<T: DeserializeOwned>(
        &self,
        connection: &mut PgConnection,
        name: HookName,
        payload: &Value,
    ) -> Result<Option<T>> {
        let Some(hook) = self.hooks.iter().find(|hook| hook.name == name) else {
            return Ok(None);
        };
        let answer = match &hook.target {
            HookTarget::Function(function) => {
                Box::pin(call_function(connection, name, function, payload)).await?
            }
            HookTarget::Http { url, secrets } => {
                Box::pin(self.ask_server(name, (url, secrets), payload)).await?
            }
        };
        taken(name, answer)
    }

    /// The same outside any transaction: no connection is held while a server thinks.
    pub async fn ask_hook<T: DeserializeOwned>(
        &self,
        name: HookName,
        payload: &Value,
    ) -> Result<Option<T>> {
        let Some(hook) = self.hooks.iter().find(|hook| hook.name == name) else {
            return Ok(None);
        };
        let answer = match &hook.target {
            HookTarget::Function(function) => {
                let mut connection = self.pool.acquire().await?;
                Box::pin(call_function(&mut connection, name, function, payload)).await?
            }
            HookTarget::Http { url, secrets } => {
                Box::pin(self.ask_server(name, (url, secrets), payload)).await?
            }
        };
        taken(name, answer)
    }

    async fn ask_server(
        &self,
        name: HookName,
        (url, secrets): (&url::Url, &[HookSecret]),
        payload: &Value,
    ) -> Result<Value> {
        let body = payload.to_string();
        for _ in 0..ATTEMPTS {
            let call = self.signed(url.clone(), secrets, body.clone())?;
            if let Some(answer) = sent(self, name, call).await? {
                return Ok(answer);
            }
        }
        Err(HOOK_TIMEOUT.into())
    }

    fn signed(&self, url: url::Url, secrets: &[HookSecret], body: String) -> Result<Call> {
        let id = format!("msg_{}", self.randomness.uuid().simple());
        let timestamp = self.now().unix_timestamp();
        let signatures = secrets
            .iter()
            .map(|secret| secret.sign(&id, timestamp, &body));
        let signatures = signatures.collect::<Vec<_>>().join(" ");
        let header = |text: String| HeaderValue::try_from(text).map_err(Error::internal);
        let mut call = Call::post(url, "application/json", body)
            .with("webhook-id", header(id)?)
            .with("webhook-timestamp", header(timestamp.to_string())?)
            .with("webhook-signature", header(signatures)?);
        call.timeout = TIMEOUT;
        Ok(call)
    }
}

/// What an answer says, unless it refuses.
fn taken<T: DeserializeOwned>(name: HookName, answer: Value) -> Result<Option<T>> {
    if let Some(refusal) = refusal(&answer) {
        return Err(Error::Hook(refusal));
    }
    let read = serde_json::from_value(answer);
    read.map(Some)
        .map_err(|error| Error::internal(unreadable(name, &error.to_string())))
}

/// Calls a function within the caller's transaction, for two seconds at most.
async fn call_function(
    connection: &mut PgConnection,
    name: HookName,
    function: &QualifiedIdent,
    payload: &Value,
) -> Result<Value> {
    let sql = format!("select {function}($1::jsonb)::jsonb");
    let mut savepoint = connection.begin().await?;
    sqlx::query("set local statement_timeout = 2000")
        .execute(&mut *savepoint)
        .await?;
    let asked = sqlx::query(AssertSqlSafe(sql))
        .bind(payload)
        .fetch_one(&mut *savepoint)
        .await;
    let row = asked.map_err(|error| {
        let is_timeout = error
            .as_database_error()
            .is_some_and(|e| e.code().as_deref() == Some("57014"));
        if is_timeout {
            return HOOK_TIMEOUT.into();
        }
        Error::internal(HookFault(name, error.into()))
    })?;
    let answer: Option<Value> = row.try_get(0)?;
    sqlx::query("set local statement_timeout to default")
        .execute(&mut *savepoint)
        .await?;
    savepoint.commit().await?;
    Ok(answer.unwrap_or(Value::Object(serde_json::Map::new())))
}

/// Asks a server once; none where it says to come again.
async fn sent(app: &App, name: HookName, call: Call) -> Result<Option<Value>> {
    let answer = app.outbound.call(call).await.map_err(|error| match error {
        OutboundError::Timeout => Error::from(HOOK_TIMEOUT),
        OutboundError::Address
        | OutboundError::Private(_)
        | OutboundError::Failed(_)
        | OutboundError::Answer(_) => Error::internal(HookFault(name, error.into())),
    })?;
    if answer.body.len() > MAX_ANSWER {
        return Err(HOOK_PAYLOAD_TOO_LARGE.into());
    }
    let is_busy = matches!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    if is_busy && answer.headers.contains_key("retry-after") {
        return Ok(None);
    }
    let empty = || Value::Object(serde_json::Map::new());
    match answer.status {
        StatusCode::NO_CONTENT => Ok(Some(empty())),
        status if status.is_success() && answer.body.is_empty() => Ok(Some(empty())),
        status => {
            let said: std::result::Result<Value, _> = answer.json();
            match said {
                Ok(said) if status.is_success() || refusal(&said).is_some() => Ok(Some(said)),
                Ok(_) | Err(_) => {
                    let message = format!("it answered {status}");
                    Err(Error::internal(unreadable(name, &message)))
                }
            }
        }
    }
}

/// A hook that failed.
#[derive(Debug, thiserror::Error)]
#[error("the hook {0:?} failed")]
struct HookFault(HookName, #[source] common::BoxError);

fn unreadable(name: HookName, message: &str) -> HookFault {
    HookFault(name, message.into())
}

/// What a hook refuses: `{"error": {"http_code": 403, "message": "…"}}`.
fn refusal(answer: &Value) -> Option<HookRefusal> {
    let error = answer.get("error")?.as_object()?;
    let status = error.get("http_code").and_then(Value::as_u64);
    let status = status.and_then(|code| u16::try_from(code).ok());
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    let message = error.get("message").and_then(Value::as_str);
    Some(HookRefusal {
        // A hook decides what its refusal means, not whether it is one.
        status: status
            .filter(|status| status.as_u16() >= 400)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        message: message.unwrap_or("The hook refused").to_owned(),
    })
}
