//! What somebody who shows a one-time token wants, in the words of `/verify`.

use crate::domain::one_time::Purpose;

/// The `type` of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationType {
    /// Confirm a sign-up.
    Signup,
    /// Accept an invitation.
    Invite,
    /// Sign in by a link.
    Magiclink,
    /// Sign in to choose a new password.
    Recovery,
    /// Confirm a sign-up or sign in: whatever was sent.
    Email,
    /// Change the e-mail address.
    EmailChange,
    /// Confirm a sign-up or sign in by a number.
    Sms,
    /// Change the phone number.
    PhoneChange,
}

impl VerificationType {
    const ALL: [Self; 8] = [
        Self::Signup,
        Self::Invite,
        Self::Magiclink,
        Self::Recovery,
        Self::Email,
        Self::EmailChange,
        Self::Sms,
        Self::PhoneChange,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Invite => "invite",
            Self::Magiclink => "magiclink",
            Self::Recovery => "recovery",
            Self::Email => "email",
            Self::EmailChange => "email_change",
            Self::Sms => "sms",
            Self::PhoneChange => "phone_change",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What the token may have been sent for.
    pub fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::Signup | Self::Invite | Self::Sms => &[Purpose::Confirmation],
            Self::Magiclink | Self::Email => &[Purpose::Recovery, Purpose::Confirmation],
            Self::Recovery => &[Purpose::Recovery],
            Self::EmailChange => &[Purpose::EmailChangeNew, Purpose::EmailChangeCurrent],
            Self::PhoneChange => &[Purpose::PhoneChange],
        }
    }

    /// Whether it is about a phone number.
    pub fn is_phone(self) -> bool {
        matches!(self, Self::Sms | Self::PhoneChange)
    }
}
