//! What request bodies have in common.

use crate::actions::messages::Leading;
use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use crate::domain::pkce::CodeChallenge;
use crate::domain::user::Contact;
use crate::error::refusal::SMS_CHANNEL;
use crate::error::{Error, Result};
use crate::extract::RedirectTo;
use crate::sms::Channel;

/// A field's text; the empty one counts as not sent.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// An e-mail address that was sent.
pub(super) fn email(text: &str) -> Result<EmailAddress> {
    EmailAddress::parse(text).map_err(|error| Error::validation(error.to_string()))
}

/// A phone number that was sent.
pub(super) fn phone(text: &str) -> Result<PhoneNumber> {
    PhoneNumber::parse(text).map_err(|error| Error::validation(error.to_string()))
}

/// The addresses and numbers that were sent.
pub(super) fn contacts(email_text: Option<&str>, phone_text: Option<&str>) -> Result<Vec<Contact>> {
    let email = email_text.map(email).transpose()?.map(Contact::Email);
    let phone = phone_text.map(phone).transpose()?.map(Contact::Phone);
    Ok(email.into_iter().chain(phone).collect())
}

/// What the client that begins a sign-in will show at its end.
pub(super) fn challenge(
    method: Option<&str>,
    challenge: Option<&str>,
) -> Result<Option<CodeChallenge>> {
    Ok(CodeChallenge::read(method, challenge)?)
}

/// Where a message that was asked for leads, and to which client.
pub(super) fn leading(
    RedirectTo(redirect_to): RedirectTo,
    method: Option<&str>,
    code: Option<&str>,
) -> Result<Leading> {
    let challenge = challenge(method, code)?;
    Ok(Leading {
        redirect_to,
        challenge,
    })
}

/// How a code is to travel.
pub(super) fn channel(name: Option<&str>) -> Result<Channel> {
    Channel::from_name(name).ok_or_else(|| SMS_CHANNEL.into())
}
