//! What administrators say of an account.

use common::Secret;
use serde::Deserialize;

use crate::actions::admin::{AccountUpdate, Ban, NewAccount, NewPassword};
use crate::domain::duration::GoDuration;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::user::{Confirmation, Contact};
use crate::error::{Error, Result};
use crate::routes::requests::{contacts, email, given, phone};

/// The body of create and update.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccountRequest {
    id: Option<String>,
    aud: Option<String>,
    role: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    password_hash: Option<String>,
    email_confirm: Option<bool>,
    phone_confirm: Option<bool>,
    user_metadata: Option<Metadata>,
    app_metadata: Option<Metadata>,
    ban_duration: Option<String>,
}

impl AccountRequest {
    /// The account to be made.
    pub(super) fn new_account(self) -> Result<NewAccount> {
        let ban = self.ban()?;
        let id = match given(self.id) {
            None => None,
            Some(text) => Some(new_id(&text)?),
        };
        let email_confirmation = confirmation(self.email_confirm);
        let phone_confirmation = confirmation(self.phone_confirm);
        let email = given(self.email).map(|text| email(&text)).transpose()?;
        let phone = given(self.phone).map(|text| phone(&text)).transpose()?;
        let password = match (given(self.password), given(self.password_hash)) {
            (None, None) => NewPassword::None,
            (Some(password), None) => NewPassword::Plain(Secret::from(password)),
            (None, Some(hash)) => NewPassword::Hash(hash),
            (Some(_), Some(_)) => {
                return Err(Error::validation(
                    "Only a password or a password hash should be provided",
                ));
            }
        };
        Ok(NewAccount {
            id,
            audience: given(self.aud),
            role: role(self.role)?,
            email: email.map(|email| (email, email_confirmation)),
            phone: phone.map(|phone| (phone, phone_confirmation)),
            password,
            user_metadata: self.user_metadata.unwrap_or_default(),
            app_metadata: self.app_metadata.unwrap_or_default(),
            ban,
        })
    }

    /// The changes to be made.
    pub(super) fn account_update(self) -> Result<AccountUpdate> {
        let ban = self.ban()?;
        let (email, phone) = (given(self.email), given(self.phone));
        let contacts = contacts(email.as_deref(), phone.as_deref())?;
        let email_confirmation = confirmation(self.email_confirm);
        let phone_confirmation = confirmation(self.phone_confirm);
        let contacts = contacts.into_iter().map(|contact| match contact {
            Contact::Email(_) => (contact, email_confirmation),
            Contact::Phone(_) => (contact, phone_confirmation),
        });
        Ok(AccountUpdate {
            role: role(self.role)?,
            contacts: contacts.collect(),
            email: self.email_confirm.map(|_| email_confirmation),
            phone: self.phone_confirm.map(|_| phone_confirmation),
            password: self.password.map(Secret::from),
            user_metadata: self.user_metadata,
            app_metadata: self.app_metadata,
            ban,
        })
    }

    fn ban(&self) -> Result<Option<Ban>> {
        match self.ban_duration.as_deref() {
            None | Some("") => Ok(None),
            Some("none") => Ok(Some(Ban::Lifted)),
            Some(text) => match text.parse() {
                Ok(GoDuration(duration)) if duration.is_zero() => Ok(Some(Ban::Lifted)),
                Ok(GoDuration(duration)) => Ok(Some(Ban::For(duration))),
                Err(error) => Err(Error::validation(format!(
                    "invalid format for ban duration: {error}"
                ))),
            },
        }
    }
}

fn confirmation(confirmed: Option<bool>) -> Confirmation {
    if confirmed == Some(true) {
        Confirmation::Confirmed
    } else {
        Confirmation::Pending
    }
}

fn new_id(text: &str) -> Result<UserId> {
    let id: UserId = text
        .parse()
        .map_err(|_| Error::validation("ID must conform to the uuid v4 format"))?;
    if id.0.is_nil() {
        return Err(Error::validation("ID cannot be a nil uuid"));
    }
    Ok(id)
}

/// A role becomes a claim of the user's tokens, and then a name in Postgres.
fn role(text: Option<String>) -> Result<Option<String>> {
    let role = given(text.map(|text| text.trim().to_owned()));
    if role.as_ref().is_some_and(|role| role.len() > 63) {
        return Err(Error::validation("A role's name has at most 63 bytes"));
    }
    Ok(role)
}
