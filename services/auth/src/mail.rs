//! Letters: what they say, and handing them to a server.

mod postbox;
mod template;
mod texts;

pub use postbox::{PostError, Postbox};
pub use template::{Template, TemplateError};

use common::Secret;
use serde_json::{Value, json};
use url::Url;

use crate::domain::email::EmailAddress;
use crate::domain::metadata::Metadata;

/// The letters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterKind {
    /// Confirm a sign-up.
    Confirmation,
    /// Accept an invitation.
    Invite,
    /// Choose a new password.
    Recovery,
    /// Sign in.
    MagicLink,
    /// Change an address.
    EmailChange,
    /// Show that one is still the same.
    Reauthentication,
}

impl LetterKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Confirmation,
        Self::Invite,
        Self::Recovery,
        Self::MagicLink,
        Self::EmailChange,
        Self::Reauthentication,
    ];

    /// What its settings' names end with.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Confirmation => "CONFIRMATION",
            Self::Invite => "INVITE",
            Self::Recovery => "RECOVERY",
            Self::MagicLink => "MAGIC_LINK",
            Self::EmailChange => "EMAIL_CHANGE",
            Self::Reauthentication => "REAUTHENTICATION",
        }
    }

    /// What the link in it asks `/verify` for, and hooks know it by.
    pub fn action(self) -> &'static str {
        match self {
            Self::Confirmation => "signup",
            Self::Invite => "invite",
            Self::Recovery => "recovery",
            Self::MagicLink => "magiclink",
            Self::EmailChange => "email_change",
            Self::Reauthentication => "reauthentication",
        }
    }
}

/// A letter to one user.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Which one.
    pub kind: LetterKind,
    /// Whom it goes to.
    pub to: EmailAddress,
    /// The user's address, which may be another.
    pub email: String,
    /// The address the user changes to.
    pub new_email: String,
    /// What is typed.
    pub code: Secret,
    /// What the link has.
    pub link_token: Secret,
    /// The link.
    pub link: Url,
    /// Where the link goes on to.
    pub redirect_to: Url,
    /// The site.
    pub site_url: Url,
    /// What the user says.
    pub data: Metadata,
}

impl Letter {
    /// What templates may name.
    fn variables(&self) -> Value {
        json!({
            "SiteURL": self.site_url.as_str().trim_end_matches('/'),
            "ConfirmationURL": self.link.as_str(),
            "RedirectTo": self.redirect_to.as_str(),
            "Token": self.code.expose(),
            "TokenHash": self.link_token.expose(),
            "Email": self.email,
            "NewEmail": self.new_email,
            "SendingTo": self.to.as_str(),
            "Data": self.data.to_value(),
        })
    }
}
