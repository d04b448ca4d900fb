//! Asking for something to sign in with: a link, a code, the way to a new password.

use std::sync::Arc;

use pg::sqlx::PgConnection;

use crate::actions::accounts::{self, Asked, Newcomer, Newness, ask_ahead};
use crate::actions::messages::{
    Leading, LetterRequest, Outgoing, OutgoingText, begin_flow, post_after_answer, post_text,
    write_letter, write_text,
};
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::email::EmailAddress;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::one_time::Purpose;
use crate::domain::phone::PhoneNumber;
use crate::domain::session::{Client, Method};
use crate::domain::user::{Confirmation, Contact, NewUser, User};
use crate::error::refusal::OTP_DISABLED;
use crate::error::{Error, Result};
use crate::mail::LetterKind;
use crate::sms::Channel;
use crate::store;

/// Whether somebody without an account gets one.
#[derive(Debug, Clone)]
pub enum Newcomers {
    /// Yes, with this to be known of them.
    Welcome(Metadata),
    /// No.
    Refused,
}

/// Sends the way to a new password to whoever has an account with this address.
pub async fn recover(
    app: &Arc<App>,
    client: &Client,
    email: EmailAddress,
    leading: Leading,
) -> Result<()> {
    app.limit(Limited::Code, client)?;
    let contact = Contact::Email(email);
    app.contact_rules(&contact)?;
    let mut transaction = app.begin().await?;
    let Some(user) = store::users::find_by_contact(&mut transaction, &contact).await? else {
        return Ok(());
    };
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserRecoveryRequested);
    app.audit(&mut transaction, client, entry).await?;
    let how = (LetterKind::Recovery, Method::Recovery);
    let letter = sign_in_letter(app, &mut transaction, client, &user, (how, leading)).await?;
    transaction.commit().await?;
    post_after_answer(app, letter.into_iter().collect()).await
}

/// Sends a link and a code to sign in with; somebody without an account may get one.
pub async fn send_email_code(
    app: &Arc<App>,
    client: &Client,
    email: EmailAddress,
    newcomers: Newcomers,
    leading: Leading,
) -> Result<()> {
    app.limit(Limited::Code, client)?;
    let contact = Contact::Email(email);
    let rules = app.contact_rules(&contact)?;
    let confirmation = if rules.autoconfirm.is_on() {
        Confirmation::Confirmed
    } else {
        Confirmation::Pending
    };
    let who = (&contact, confirmation);
    let prospect = prospect(app, client, who, newcomers).await?;
    let mut transaction = app.begin().await?;
    let found = store::users::find_by_contact(&mut transaction, &contact).await?;
    let (user, newness) = if let Some(user) = found {
        (user, Newness::Known)
    } else {
        let user = join(app, &mut transaction, client, who, prospect).await?;
        (user, Newness::New)
    };
    let letters = if user.is_confirmed(&contact) {
        let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserRecoveryRequested);
        app.audit(&mut transaction, client, entry).await?;
        let how = (LetterKind::MagicLink, Method::MagicLink);
        sign_in_letter(app, &mut transaction, client, &user, (how, leading)).await?
    } else {
        confirmation_letter(app, &mut transaction, client, &user, leading).await?
    };
    accounts::commit(app, transaction, client, newness.newcomer(&user)).await?;
    post_after_answer(app, letters.into_iter().collect()).await
}

/// Sends a code to sign in with to a phone; answers what the provider calls the message.
pub async fn send_phone_code(
    app: &App,
    client: &Client,
    phone: PhoneNumber,
    newcomers: Newcomers,
    channel: Channel,
) -> Result<Option<String>> {
    app.limit(Limited::Code, client)?;
    let contact = Contact::Phone(phone.clone());
    app.contact_rules(&contact)?;
    let who = (&contact, Confirmation::Pending);
    let prospect = prospect(app, client, who, newcomers).await?;
    let mut transaction = app.begin().await?;
    let found = store::users::find_by_contact(&mut transaction, &contact).await?;
    let (user, newness) = if let Some(user) = found {
        (user, Newness::Known)
    } else {
        let user = join(app, &mut transaction, client, who, prospect).await?;
        (user, Newness::New)
    };
    let text = phone_confirmation(app, &mut transaction, client, &user, (phone, channel)).await?;
    accounts::commit(app, transaction, client, newness.newcomer(&user)).await?;
    post_text(app, text).await
}

/// The account that somebody without one would get; none where they get none. A server is asked
/// about it here, before the transaction.
async fn prospect(
    app: &App,
    client: &Client,
    (contact, confirmation): (&Contact, Confirmation),
    newcomers: Newcomers,
) -> Result<Option<(NewUser, Asked)>> {
    let Newcomers::Welcome(data) = newcomers else {
        return Ok(None);
    };
    check_size(&Metadata::default(), &data)?;
    let newcomer = Newcomer {
        contact: contact.clone(),
        confirmation,
        data,
        password_hash: None,
    };
    let new = accounts::new_user(app, &newcomer);
    let asked = if app.rules.sign_up.is_on() {
        ask_ahead(app, client, &new, Some(contact)).await?
    } else {
        Asked::NotYet
    };
    Ok(Some((new, asked)))
}

/// Makes an account for somebody who asked for a code.
async fn join(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    (contact, confirmation): (&Contact, Confirmation),
    prospect: Option<(NewUser, Asked)>,
) -> Result<User> {
    let (new, asked) = prospect.ok_or(OTP_DISABLED)?;
    if !app.rules.sign_up.is_on() {
        return Err(Error::SignUpDisabled);
    }
    app.limit(Limited::SignUp, client)?;
    let who = (contact, confirmation);
    let user = accounts::insert(app, connection, client, (&new, asked), who).await?;
    let user = user.ok_or(Error::Busy)?;
    let action = match confirmation {
        Confirmation::Confirmed => AuditAction::UserSignedUp,
        Confirmation::Pending => AuditAction::UserConfirmationRequested,
    };
    let entry = AuditEntry::new(Actor::user(&user), action).with_provider(contact.provider());
    app.audit(connection, client, entry).await?;
    Ok(user)
}

/// A letter that confirms a sign-up; none for a user without an address.
pub async fn confirmation_letter(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    leading: Leading,
) -> Result<Option<Outgoing>> {
    let Some(to) = user.address() else {
        return Ok(None);
    };
    let method = Method::EmailSignup;
    let flow = begin_flow(app, connection, leading.challenge, user, method).await?;
    let request = LetterRequest {
        kind: LetterKind::Confirmation,
        purpose: Purpose::Confirmation,
        to,
        redirect_to: leading.redirect_to,
        flow,
    };
    Ok(Some(
        write_letter(app, connection, client, user, request).await?,
    ))
}

async fn sign_in_letter(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    ((kind, method), leading): ((LetterKind, Method), Leading),
) -> Result<Option<Outgoing>> {
    let Some(to) = user.address() else {
        return Ok(None);
    };
    let flow = begin_flow(app, connection, leading.challenge, user, method).await?;
    let request = LetterRequest {
        kind,
        purpose: Purpose::Recovery,
        to,
        redirect_to: leading.redirect_to,
        flow,
    };
    Ok(Some(
        write_letter(app, connection, client, user, request).await?,
    ))
}

/// A text message that confirms a number or signs in by it.
pub async fn phone_confirmation(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    (phone, channel): (PhoneNumber, Channel),
) -> Result<OutgoingText> {
    let what = (Purpose::Confirmation, phone, channel);
    write_text(app, connection, client, user, what).await
}
