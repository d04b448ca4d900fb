//! Giving a user an e-mail address or phone number.

use pg::sqlx::PgConnection;
use serde_json::{Value, json};

use crate::app::App;
use crate::config::ContactRules;
use crate::domain::user::{Confirmation, Contact, NewIdentity, User};
use crate::error::{Error, Result};
use crate::store;
use crate::store::users::UserChanges;

impl App {
    /// The rules for accounts of this kind; an error where there are none.
    pub fn contact_rules(&self, contact: &Contact) -> Result<ContactRules> {
        let (rules, disabled) = match contact {
            Contact::Email(_) => (self.rules.email, Error::EmailDisabled),
            Contact::Phone(_) => (self.rules.phone, Error::PhoneDisabled),
        };
        if rules.accounts.is_on() {
            Ok(rules)
        } else {
            Err(disabled)
        }
    }
}

/// Notes in `changes` that `user` gets this address or number, and writes the identity that stands
/// for it. A user who was anonymous and shows one is so no longer, and keeps the id.
pub async fn set_contact(
    app: &App,
    connection: &mut PgConnection,
    user: &mut User,
    contact: Contact,
    confirmation: Confirmation,
    changes: &mut UserChanges,
) -> Result<()> {
    let now = app.now();
    let claims = contact.claims(user.id, confirmation);
    if let Some(identity) = user.own_identity(contact.provider()) {
        let mut data = identity.data.clone();
        data.merge(claims.clone());
        store::identities::update_data(connection, identity.id, &data, now).await?;
    } else {
        let id = app.randomness.uuid();
        let identity = NewIdentity::own(id, user.id, &contact, confirmation);
        store::identities::insert(connection, &identity, now).await?;
    }
    user.user_metadata.merge(claims);
    changes.user_metadata = Some(user.user_metadata.clone());
    add_provider(user, contact.provider());
    changes.app_metadata = Some(user.app_metadata.clone());
    let confirmed = confirmation == Confirmation::Confirmed;
    if confirmed && user.is_anonymous {
        changes.is_anonymous = Some(false);
    }
    let confirmed_at = confirmed.then_some(now);
    match contact {
        Contact::Email(email) => {
            changes.email = Some(email);
            changes.email_confirmed_at = confirmed_at;
        }
        Contact::Phone(phone) => {
            changes.phone = Some(phone);
            changes.phone_confirmed_at = confirmed_at;
        }
    }
    Ok(())
}

/// Notes in `app_metadata` that the user signs in by `provider`, too.
pub(super) fn add_provider(user: &mut User, provider: &str) {
    let listed = user.app_metadata.get("providers").and_then(Value::as_array);
    let mut providers = listed.cloned().unwrap_or_default();
    if !providers.iter().any(|listed| listed == provider) {
        providers.push(Value::from(provider));
    }
    if user.app_metadata.get("provider").is_none() {
        user.app_metadata.set("provider", provider);
    }
    user.app_metadata.set("providers", json!(providers));
}
