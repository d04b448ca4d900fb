//! Sessions: one for each sign-in, until it is signed out or ends.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use crate::domain::ids::{SessionId, UserId};

/// A session as stored.
#[derive(Debug, Clone)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// When its tokens were last refreshed.
    pub refreshed_at: Option<OffsetDateTime>,
    /// When it ends, where that is fixed.
    pub not_after: Option<OffsetDateTime>,
    /// The session's part of what its refresh tokens are derived from.
    pub token_salt: String,
    /// The generation of its active refresh token.
    pub generation: i64,
    /// How the user proved who they are, the latest first.
    pub methods: Vec<MethodReference>,
    /// How sure we are who it is.
    pub aal: Aal,
}

/// How sure we are who somebody is: by how many factors they showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aal {
    /// By one factor.
    Aal1,
    /// By two.
    Aal2,
    /// By one that cannot be copied.
    Aal3,
}

impl Aal {
    /// Its name in the `aal` claim and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
            Self::Aal3 => "aal3",
        }
    }

    /// The level of this name; the lowest where there is none.
    pub fn from_name(name: Option<&str>) -> Self {
        match name {
            Some("aal2") => Self::Aal2,
            Some("aal3") => Self::Aal3,
            Some(_) | None => Self::Aal1,
        }
    }
}

/// A session that is not stored yet.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The session's id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it begins.
    pub created_at: OffsetDateTime,
    /// The session's part of what its refresh tokens are derived from.
    pub token_salt: String,
    /// Where it was opened from.
    pub client: Client,
}

/// Who sent a request, as far as the network tells.
#[derive(Debug, Clone)]
pub struct Client {
    /// The address.
    pub ip: IpAddr,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

/// How users prove who they are, in the words of the `amr` claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By a password.
    Password,
    /// Not at all.
    Anonymous,
    /// By a code or link that was sent to them.
    Otp,
    /// By what was sent to confirm a sign-up.
    EmailSignup,
    /// By a link to sign in with.
    MagicLink,
    /// By a link to choose a new password with.
    Recovery,
    /// By an invitation.
    Invite,
    /// By what was sent to change an address.
    EmailChange,
    /// By another provider.
    Oauth,
    /// By an authenticator app.
    Totp,
    /// By a code that was sent to a second factor.
    PhoneFactor,
    /// By a security key as a second factor.
    WebauthnFactor,
    /// By a passkey.
    Passkey,
}

impl Method {
    const ALL: [Self; 13] = [
        Self::Password,
        Self::Anonymous,
        Self::Otp,
        Self::EmailSignup,
        Self::MagicLink,
        Self::Recovery,
        Self::Invite,
        Self::EmailChange,
        Self::Oauth,
        Self::Totp,
        Self::PhoneFactor,
        Self::WebauthnFactor,
        Self::Passkey,
    ];

    /// The method's name in the `amr` claim.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Anonymous => "anonymous",
            Self::Otp => "otp",
            Self::EmailSignup => "email/signup",
            Self::MagicLink => "magiclink",
            Self::Recovery => "recovery",
            Self::Invite => "invite",
            Self::EmailChange => "email_change",
            Self::Oauth => "oauth",
            Self::Totp => "totp",
            Self::PhoneFactor => "mfa/phone",
            Self::WebauthnFactor => "mfa/webauthn",
            Self::Passkey => "passkey",
        }
    }

    /// The method of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// An entry of the `amr` claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MethodReference {
    /// The method's name.
    pub method: String,
    /// When, in seconds since 1970.
    pub timestamp: i64,
}

/// How long sessions live.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionRules {
    /// From their beginning, whatever happens.
    pub timebox: Option<Duration>,
    /// From their last refresh.
    pub inactivity: Option<Duration>,
    /// Whether a new one of a user ends the others.
    pub single: bool,
}

/// Why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was to end at a fixed time.
    Expired,
    /// Nobody used it.
    Inactive,
}

impl Session {
    /// Why the session is over at `now`, if it is.
    pub fn ended(&self, rules: SessionRules, now: OffsetDateTime) -> Option<Ended> {
        let timebox = rules
            .timebox
            .is_some_and(|box_| now > self.created_at + box_);
        let last_used = self.refreshed_at.unwrap_or(self.created_at);
        if timebox || self.not_after.is_some_and(|end| now > end) {
            Some(Ended::Expired)
        } else if rules
            .inactivity
            .is_some_and(|pause| now > last_used + pause)
        {
            Some(Ended::Inactive)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn sessions_end_by_time_and_by_rest() {
        let created_at = datetime!(2030-01-01 00:00 UTC);
        let session = Session {
            id: SessionId(uuid::Uuid::nil()),
            user_id: UserId(uuid::Uuid::nil()),
            created_at,
            refreshed_at: Some(created_at + Duration::from_hours(5)),
            not_after: None,
            token_salt: String::new(),
            generation: 1,
            methods: Vec::new(),
            aal: Aal::Aal1,
        };
        let rules = SessionRules {
            timebox: Some(Duration::from_hours(24)),
            inactivity: Some(Duration::from_hours(8)),
            single: false,
        };
        let at = |hours| created_at + Duration::from_hours(hours);
        assert_eq!(session.ended(rules, at(12)), None);
        assert_eq!(session.ended(rules, at(14)), Some(Ended::Inactive));
        assert_eq!(session.ended(rules, at(25)), Some(Ended::Expired));
        assert_eq!(session.ended(SessionRules::default(), at(9999)), None);
        let fixed = Session {
            not_after: Some(at(1)),
            ..session
        };
        assert_eq!(
            fixed.ended(SessionRules::default(), at(2)),
            Some(Ended::Expired)
        );
    }
}
