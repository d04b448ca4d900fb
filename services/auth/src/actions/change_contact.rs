//! Changing an address or number that has to be confirmed first.

use pg::sqlx::PgConnection;

use crate::actions::messages::{
    Leading, LetterRequest, Outgoing, OutgoingText, begin_flow, write_letter, write_text,
};
use crate::app::App;
use crate::domain::email::EmailAddress;
use crate::domain::one_time::Purpose;
use crate::domain::phone::PhoneNumber;
use crate::domain::session::{Client, Method};
use crate::domain::user::{Contact, User};
use crate::error::{Error, Result};
use crate::mail::LetterKind;
use crate::sms::Channel;
use crate::store;

/// Notes the new address and writes to it, and to the current one where both have to confirm.
pub async fn email_change_letters(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    (new, leading): (EmailAddress, Leading),
) -> Result<Vec<Outgoing>> {
    check_free(connection, &Contact::Email(new.clone()), Error::EmailExists).await?;
    let method = Method::EmailChange;
    let flow = begin_flow(app, connection, leading.challenge, user, method).await?;
    store::users::update_new_email(connection, user.id, new.as_str(), 0).await?;
    let user = User {
        new_email: Some(new.as_str().to_owned()),
        ..user.clone()
    };
    let letter = |purpose, to| LetterRequest {
        kind: LetterKind::EmailChange,
        purpose,
        to,
        redirect_to: leading.redirect_to.clone(),
        flow,
    };
    let to_new = letter(Purpose::EmailChangeNew, new);
    let mut letters = vec![write_letter(app, connection, client, &user, to_new).await?];
    let current = user
        .address()
        .filter(|_| user.times.email_confirmed_at.is_some());
    if let Some(current) = current.filter(|_| app.rules.mail.both_addresses) {
        let to_current = letter(Purpose::EmailChangeCurrent, current);
        letters.push(write_letter(app, connection, client, &user, to_current).await?);
    }
    Ok(letters)
}

/// Notes the new number and writes to it.
pub async fn phone_change_text(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    (new, channel): (PhoneNumber, Channel),
) -> Result<OutgoingText> {
    check_free(connection, &Contact::Phone(new.clone()), Error::PhoneExists).await?;
    store::users::update_new_phone(connection, user.id, new.as_str()).await?;
    let what = (Purpose::PhoneChange, new, channel);
    write_text(app, connection, client, user, what).await
}

async fn check_free(connection: &mut PgConnection, contact: &Contact, taken: Error) -> Result<()> {
    match store::users::find_by_contact(connection, contact).await? {
        None => Ok(()),
        Some(_) => Err(taken),
    }
}
