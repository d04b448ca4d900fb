//! Users and their identities.

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::email::EmailAddress;
use crate::domain::factor::Factor;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::phone::PhoneNumber;

/// The role of users whom nobody gave another.
pub const DEFAULT_ROLE: &str = "authenticated";

/// Where an identity comes from when the user's e-mail address and password are ours to check.
pub const EMAIL_PROVIDER: &str = "email";
/// The same for a phone number.
pub const PHONE_PROVIDER: &str = "phone";

/// A user as stored, with identities.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_field_names,
    reason = "user_metadata is its name everywhere"
)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Who the user's tokens are for.
    pub audience: String,
    /// The Postgres role that the user's requests run as.
    pub role: String,
    /// The e-mail address, in lower case.
    pub email: Option<String>,
    /// The phone number, digits only.
    pub phone: Option<String>,
    /// The password's hash; none where the user has no password.
    pub password_hash: Option<String>,
    /// When each thing happened; none where it did not.
    pub times: UserTimes,
    /// The e-mail address that waits for confirmation.
    pub new_email: Option<String>,
    /// How many of both addresses have confirmed the change.
    pub new_email_confirmations: i16,
    /// The phone number that waits for confirmation.
    pub new_phone: Option<String>,
    /// What the server says of the user.
    pub app_metadata: Metadata,
    /// What the user says.
    pub user_metadata: Metadata,
    /// The ways the user signs in.
    pub identities: Vec<Identity>,
    /// What the user shows besides.
    pub factors: Vec<Factor>,
    /// Whether the user has shown no e-mail address, phone number or identity yet.
    pub is_anonymous: bool,
    /// Whether single sign-on owns the account.
    pub is_sso: bool,
}

/// When what happened to a user; none where it did not.
#[derive(Debug, Clone, Default)]
pub struct UserTimes {
    /// The account was made.
    pub created_at: Option<OffsetDateTime>,
    /// The row was last written.
    pub updated_at: Option<OffsetDateTime>,
    /// The e-mail address was confirmed.
    pub email_confirmed_at: Option<OffsetDateTime>,
    /// The phone number was confirmed.
    pub phone_confirmed_at: Option<OffsetDateTime>,
    /// The first of both.
    pub confirmed_at: Option<OffsetDateTime>,
    /// An invitation was sent.
    pub invited_at: Option<OffsetDateTime>,
    /// A confirmation was sent.
    pub confirmation_sent_at: Option<OffsetDateTime>,
    /// A recovery was sent.
    pub recovery_sent_at: Option<OffsetDateTime>,
    /// An e-mail change was sent.
    pub email_change_sent_at: Option<OffsetDateTime>,
    /// A phone change was sent.
    pub phone_change_sent_at: Option<OffsetDateTime>,
    /// A re-authentication was sent.
    pub reauthentication_sent_at: Option<OffsetDateTime>,
    /// The user last signed in.
    pub last_sign_in_at: Option<OffsetDateTime>,
    /// The user is banned until then.
    pub banned_until: Option<OffsetDateTime>,
    /// The account was deleted, its row kept.
    pub deleted_at: Option<OffsetDateTime>,
}

impl User {
    /// Whether the user may not sign in at `now`.
    pub fn is_banned(&self, now: OffsetDateTime) -> bool {
        self.times.banned_until.is_some_and(|until| now < until)
    }

    /// Whether the server marked the user as administrator.
    pub fn is_superuser(&self) -> bool {
        self.app_metadata.get("is_superuser") == Some(&Value::Bool(true))
    }

    /// Whether the user has a second factor that counts.
    pub fn has_second_factor(&self) -> bool {
        self.factors.iter().any(Factor::is_verified)
    }

    /// The e-mail address, where it is one that letters can be sent to.
    pub fn address(&self) -> Option<EmailAddress> {
        EmailAddress::parse(self.email.as_deref()?).ok()
    }

    /// The phone number, where it is one that messages can be sent to.
    pub fn number(&self) -> Option<PhoneNumber> {
        PhoneNumber::parse(self.phone.as_deref()?).ok()
    }

    /// Whether an address or number of the user is confirmed.
    pub fn is_confirmed(&self, contact: &Contact) -> bool {
        match contact {
            Contact::Email(_) => self.times.email_confirmed_at.is_some(),
            Contact::Phone(_) => self.times.phone_confirmed_at.is_some(),
        }
    }

    /// The identity of `provider` that stands for this user's own address or number.
    pub fn own_identity(&self, provider: &str) -> Option<&Identity> {
        let own_id = self.id.to_string();
        self.identities
            .iter()
            .find(|identity| identity.provider == provider && identity.provider_id == own_id)
    }
}

/// One way a user signs in: what a provider says of them.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The row's id.
    pub id: Uuid,
    /// The provider's id of the user.
    pub provider_id: String,
    /// The user it belongs to.
    pub user_id: UserId,
    /// What the provider says.
    pub data: Metadata,
    /// The provider: `email`, `phone`, `github`.
    pub provider: String,
    /// The address in `data`.
    pub email: Option<String>,
    /// The user last signed in this way.
    pub last_sign_in_at: Option<OffsetDateTime>,
    /// The identity was linked.
    pub created_at: Option<OffsetDateTime>,
    /// The row was last written.
    pub updated_at: Option<OffsetDateTime>,
}

/// An identity that is not stored yet.
#[derive(Debug, Clone)]
pub struct NewIdentity {
    /// The row's id.
    pub id: Uuid,
    /// The provider's id of the user.
    pub provider_id: String,
    /// The user it belongs to.
    pub user_id: UserId,
    /// What the provider says.
    pub data: Metadata,
    /// The provider.
    pub provider: String,
}

impl NewIdentity {
    /// The identity of a user who proves an e-mail address or phone number to us.
    pub fn own(id: Uuid, user_id: UserId, contact: &Contact, confirmation: Confirmation) -> Self {
        Self {
            id,
            provider_id: user_id.to_string(),
            user_id,
            data: contact.claims(user_id, confirmation),
            provider: contact.provider().to_owned(),
        }
    }
}

/// Whether an address or number is known to be the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// It is.
    Confirmed,
    /// Nobody has shown it yet.
    Pending,
}

/// What an account is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// An e-mail address.
    Email(EmailAddress),
    /// A phone number.
    Phone(PhoneNumber),
}

impl Contact {
    /// The provider of the identity that stands for it.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::Email(_) => EMAIL_PROVIDER,
            Self::Phone(_) => PHONE_PROVIDER,
        }
    }

    /// The address or number.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// What we, as provider, say of the user.
    pub fn claims(&self, user_id: UserId, confirmation: Confirmation) -> Metadata {
        let confirmed = confirmation == Confirmation::Confirmed;
        let mut claims = Metadata::default();
        match self {
            Self::Email(email) => {
                claims.set("email", email.as_str());
                claims.set("email_verified", confirmed);
                claims.set("phone_verified", false);
            }
            Self::Phone(phone) => {
                claims.set("email_verified", false);
                claims.set("phone", phone.as_str());
                claims.set("phone_verified", confirmed);
            }
        }
        claims.set("sub", user_id.to_string());
        claims
    }
}

/// The `app_metadata` that tells how a user signs in.
pub fn provider_metadata(providers: &[&str]) -> Metadata {
    let mut metadata = Metadata::default();
    if let Some(first) = providers.first() {
        metadata.set("provider", *first);
        metadata.set("providers", json!(providers));
    }
    metadata
}

/// A user that is not stored yet.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user's id.
    pub id: UserId,
    /// Who the user's tokens are for.
    pub audience: String,
    /// The Postgres role that the user's requests run as.
    pub role: String,
    /// The e-mail address.
    pub email: Option<EmailAddress>,
    /// The phone number.
    pub phone: Option<PhoneNumber>,
    /// The password's hash.
    pub password_hash: Option<String>,
    /// When the address was confirmed.
    pub email_confirmed_at: Option<OffsetDateTime>,
    /// When the number was confirmed.
    pub phone_confirmed_at: Option<OffsetDateTime>,
    /// What the server says of the user.
    pub app_metadata: Metadata,
    /// What the user says.
    pub user_metadata: Metadata,
    /// Whether the user has shown nothing of themselves.
    pub is_anonymous: bool,
    /// Whether this is the platform's administrator.
    pub is_super_admin: bool,
    /// The user is banned until then.
    pub banned_until: Option<OffsetDateTime>,
    /// When the account is made.
    pub created_at: OffsetDateTime,
}
