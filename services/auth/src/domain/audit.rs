//! What the audit log records.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::user::User;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// A user signed in.
    Login,
    /// A user signed out.
    Logout,
    /// An account was made.
    UserSignedUp,
    /// Somebody signed up with an address that has an account.
    UserRepeatedSignUp,
    /// An account waits for its address to be confirmed.
    UserConfirmationRequested,
    /// A link or code to sign in with was asked for.
    UserRecoveryRequested,
    /// A code to show that one is still the same was asked for.
    UserReauthenticationRequested,
    /// A second factor was begun.
    FactorInProgress,
    /// A second factor was renamed.
    FactorUpdated,
    /// A second factor was given up.
    FactorDeleted,
    /// A second factor was asked for.
    ChallengeCreated,
    /// A second factor was shown.
    VerificationAttempted,
    /// A passkey was registered.
    PasskeyCreated,
    /// A passkey was renamed.
    PasskeyUpdated,
    /// A passkey was given up.
    PasskeyDeleted,
    /// An identity was unlinked.
    IdentityUnlinked,
    /// Somebody was invited.
    UserInvited,
    /// An account was changed.
    UserModified,
    /// A password was changed.
    UserUpdatedPassword,
    /// An account was deleted.
    UserDeleted,
    /// A refresh token was used.
    TokenRefreshed,
    /// Refresh tokens were revoked.
    TokenRevoked,
}

impl AuditAction {
    /// The action's name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::UserSignedUp => "user_signedup",
            Self::UserRepeatedSignUp => "user_repeated_signup",
            Self::UserConfirmationRequested => "user_confirmation_requested",
            Self::UserRecoveryRequested => "user_recovery_requested",
            Self::UserReauthenticationRequested => "user_reauthenticate_requested",
            Self::FactorInProgress => "factor_in_progress",
            Self::FactorUpdated => "factor_updated",
            Self::FactorDeleted => "factor_deleted",
            Self::ChallengeCreated => "challenge_created",
            Self::VerificationAttempted => "verification_attempted",
            Self::PasskeyCreated => "passkey_created",
            Self::PasskeyUpdated => "passkey_updated",
            Self::PasskeyDeleted => "passkey_deleted",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::UserInvited => "user_invited",
            Self::UserModified => "user_modified",
            Self::UserUpdatedPassword => "user_updated_password",
            Self::UserDeleted => "user_deleted",
            Self::TokenRefreshed => "token_refreshed",
            Self::TokenRevoked => "token_revoked",
        }
    }

    /// What kind of entry it is.
    fn log_type(self) -> &'static str {
        match self {
            Self::Login | Self::Logout => "account",
            Self::UserSignedUp | Self::UserInvited | Self::UserDeleted => "team",
            Self::UserRepeatedSignUp
            | Self::UserConfirmationRequested
            | Self::UserRecoveryRequested
            | Self::UserReauthenticationRequested
            | Self::IdentityUnlinked
            | Self::PasskeyCreated
            | Self::PasskeyUpdated
            | Self::PasskeyDeleted
            | Self::UserModified
            | Self::UserUpdatedPassword => "user",
            Self::FactorInProgress
            | Self::FactorUpdated
            | Self::FactorDeleted
            | Self::ChallengeCreated
            | Self::VerificationAttempted => "factor",
            Self::TokenRefreshed | Self::TokenRevoked => "token",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone)]
pub struct Actor {
    id: Uuid,
    username: String,
    name: Option<Value>,
    via_sso: bool,
}

impl Actor {
    /// The user themselves.
    pub fn user(user: &User) -> Self {
        let contact = user.phone.as_ref().or(user.email.as_ref());
        Self {
            id: user.id.0,
            username: contact.cloned().unwrap_or_default(),
            name: user.user_metadata.get("full_name").cloned(),
            via_sso: user.is_sso,
        }
    }

    /// The holder of a service key, who is no user; `role` is the key's.
    pub fn service(role: &str) -> Self {
        Self {
            id: Uuid::nil(),
            username: role.to_owned(),
            name: None,
            via_sso: false,
        }
    }
}

/// An entry of the audit log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Who did it.
    pub actor: Actor,
    /// What they did.
    pub action: AuditAction,
    /// To what, and how.
    pub traits: Map<String, Value>,
}

impl AuditEntry {
    /// An entry without traits.
    pub fn new(actor: Actor, action: AuditAction) -> Self {
        Self {
            actor,
            action,
            traits: Map::new(),
        }
    }

    /// Adds the provider that was signed in by.
    #[must_use]
    pub fn with_provider(mut self, provider: &str) -> Self {
        self.traits
            .insert("provider".to_owned(), Value::from(provider));
        self
    }

    /// Adds the user it was done to.
    #[must_use]
    pub fn with_user(mut self, user: &User) -> Self {
        let text = |text: &Option<String>| Value::from(text.clone().unwrap_or_default());
        self.traits
            .insert("user_id".to_owned(), Value::from(user.id.to_string()));
        self.traits
            .insert("user_email".to_owned(), text(&user.email));
        self.traits
            .insert("user_phone".to_owned(), text(&user.phone));
        self
    }

    /// The entry's payload.
    pub fn payload(&self) -> Value {
        let mut payload = json!({
            "action": self.action.as_str(),
            "actor_id": self.actor.id,
            "actor_username": self.actor.username,
            "actor_via_sso": self.actor.via_sso,
            "log_type": self.action.log_type(),
        });
        if let Some(name) = &self.actor.name {
            payload["actor_name"] = name.clone();
        }
        if !self.traits.is_empty() {
            payload["traits"] = Value::Object(self.traits.clone());
        }
        payload
    }
}
