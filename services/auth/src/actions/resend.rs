//! Sending once more what did not arrive. Who has no account, or waits for nothing, is told the
//! same as who does.

use std::sync::Arc;

use crate::actions::change_contact::{email_change_letters, phone_change_text};
use crate::actions::messages::{Leading, post_after_answer, post_text};
use crate::actions::passwordless::{confirmation_letter, phone_confirmation};
use crate::app::{App, Limited};
use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::error::Result;
use crate::sms::Channel;
use crate::store;

/// What to send once more.
#[derive(Debug)]
pub enum Resend {
    /// The confirmation of a sign-up.
    Signup(EmailAddress),
    /// The change of an address, by the current one.
    EmailChange(EmailAddress),
    /// The confirmation of a number.
    Sms(PhoneNumber),
    /// The change of a number, by the current or the new one.
    PhoneChange(PhoneNumber),
}

/// Sends it; answers what a provider of text messages calls the message.
pub async fn resend(
    app: &Arc<App>,
    client: &Client,
    what: Resend,
    leading: Leading,
) -> Result<Option<String>> {
    app.limit(Limited::Code, client)?;
    match what {
        Resend::Signup(email) => resend_signup(app, client, email, leading).await,
        Resend::EmailChange(email) => resend_email_change(app, client, email, leading).await,
        Resend::Sms(phone) => resend_sms(app, client, phone).await,
        Resend::PhoneChange(phone) => resend_phone_change(app, client, phone).await,
    }
}

async fn resend_signup(
    app: &Arc<App>,
    client: &Client,
    email: EmailAddress,
    leading: Leading,
) -> Result<Option<String>> {
    let contact = Contact::Email(email);
    app.contact_rules(&contact)?;
    let mut transaction = app.begin().await?;
    let user = store::users::find_by_contact(&mut transaction, &contact).await?;
    let Some(user) = user.filter(|user| !user.is_confirmed(&contact)) else {
        return Ok(None);
    };
    let letter = confirmation_letter(app, &mut transaction, client, &user, leading).await?;
    transaction.commit().await?;
    post_after_answer(app, letter.into_iter().collect()).await?;
    Ok(None)
}

async fn resend_email_change(
    app: &Arc<App>,
    client: &Client,
    email: EmailAddress,
    leading: Leading,
) -> Result<Option<String>> {
    let contact = Contact::Email(email);
    app.contact_rules(&contact)?;
    let mut transaction = app.begin().await?;
    let by_current = store::users::find_by_contact(&mut transaction, &contact).await?;
    let user = match by_current.filter(|user| user.new_email.is_some()) {
        Some(user) => Some(user),
        None => store::users::find_by_new_contact(&mut transaction, &contact).await?,
    };
    let Some(user) = user else {
        return Ok(None);
    };
    let new = user.new_email.as_deref().map(EmailAddress::parse);
    let Some(Ok(new)) = new else {
        return Ok(None);
    };
    let letters =
        email_change_letters(app, &mut transaction, client, &user, (new, leading)).await?;
    transaction.commit().await?;
    post_after_answer(app, letters).await?;
    Ok(None)
}

async fn resend_sms(app: &App, client: &Client, phone: PhoneNumber) -> Result<Option<String>> {
    let contact = Contact::Phone(phone.clone());
    app.contact_rules(&contact)?;
    let mut transaction = app.begin().await?;
    let user = store::users::find_by_contact(&mut transaction, &contact).await?;
    let Some(user) = user.filter(|user| !user.is_confirmed(&contact)) else {
        return Ok(None);
    };
    let how = (phone, Channel::Sms);
    let text = phone_confirmation(app, &mut transaction, client, &user, how).await?;
    transaction.commit().await?;
    post_text(app, text).await
}

async fn resend_phone_change(
    app: &App,
    client: &Client,
    phone: PhoneNumber,
) -> Result<Option<String>> {
    let contact = Contact::Phone(phone);
    app.contact_rules(&contact)?;
    let mut transaction = app.begin().await?;
    let by_current = store::users::find_by_contact(&mut transaction, &contact).await?;
    let user = match by_current.filter(|user| user.new_phone.is_some()) {
        Some(user) => Some(user),
        None => store::users::find_by_new_contact(&mut transaction, &contact).await?,
    };
    let new = user
        .as_ref()
        .and_then(|user| PhoneNumber::parse(user.new_phone.as_deref()?).ok());
    let Some((user, new)) = user.zip(new) else {
        return Ok(None);
    };
    let text = phone_change_text(app, &mut transaction, client, &user, (new, Channel::Sms)).await?;
    transaction.commit().await?;
    post_text(app, text).await
}
