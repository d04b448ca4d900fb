//! What a verified token says about who is asking.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

/// The bearer of a verified token.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The Postgres role to act in: `anon`, `authenticated`, `service_role`, or one of the user's.
    pub role: String,
    /// The `sub` claim: a user's id; API keys have none.
    pub subject: Option<String>,
    /// All claims.
    pub claims: Map<String, Value>,
    /// All claims, in the very text that was signed: what `request.jwt.claims` is set to.
    pub claims_json: Arc<str>,
    /// When the token ends, in seconds since 1970.
    pub expires_at: Option<i64>,
}

impl Identity {
    /// Whether this is the `service_role`, which row-level security does not bind.
    pub fn is_service(&self) -> bool {
        self.role == "service_role"
    }

    /// Whether this is nobody in particular.
    pub fn is_anon(&self) -> bool {
        self.role == "anon"
    }

    /// Whether this is a user whom the server marked as administrator. `user_metadata`, which
    /// users write themselves, has no say.
    pub fn is_superuser(&self) -> bool {
        let metadata = self.claims.get("app_metadata");
        metadata.and_then(|metadata| metadata.get("is_superuser")) == Some(&Value::Bool(true))
    }

    /// Whether administration is open to this identity: the service role, or a superuser.
    pub fn is_admin(&self) -> bool {
        self.is_service() || self.is_superuser()
    }

    /// The user's id, where the subject is one.
    pub fn user_id(&self) -> Option<Uuid> {
        self.subject.as_deref()?.parse().ok()
    }

    /// The session the token was issued for.
    pub fn session_id(&self) -> Option<Uuid> {
        self.claims.get("session_id")?.as_str()?.parse().ok()
    }
}
