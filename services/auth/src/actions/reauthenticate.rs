//! Showing that one is still the same: a code that is sent, and typed with a new password.

use common::Secret;
use pg::sqlx::PgConnection;

use crate::actions::caller::Caller;
use crate::actions::messages::{LetterRequest, post, post_text, write_letter, write_text};
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::one_time::Purpose;
use crate::domain::session::Client;
use crate::domain::user::User;
use crate::error::refusal::{REAUTHENTICATION_IMPOSSIBLE, REAUTHENTICATION_NOT_VALID};
use crate::error::{Error, Result};
use crate::mail::LetterKind;
use crate::sms::Channel;
use crate::store;

/// Sends the caller a code.
pub async fn reauthenticate(app: &App, client: &Client, caller: &Caller) -> Result<()> {
    app.limit(Limited::Code, client)?;
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, caller.user.id).await?;
    let user = user.ok_or(Error::TokenUserNotFound)?;
    let entry = AuditEntry::new(
        Actor::user(&user),
        AuditAction::UserReauthenticationRequested,
    );
    app.audit(&mut transaction, client, entry).await?;
    let purpose = Purpose::Reauthentication;
    if let Some(to) = user.address() {
        if user.times.email_confirmed_at.is_none() {
            return Err(Error::EmailNotConfirmed);
        }
        let request = LetterRequest {
            kind: LetterKind::Reauthentication,
            purpose,
            to,
            redirect_to: app.rules.links.site_url.clone(),
            flow: None,
        };
        let letter = write_letter(app, &mut transaction, client, &user, request).await?;
        transaction.commit().await?;
        return post(app, vec![letter]).await;
    }
    let number = user.number().ok_or(REAUTHENTICATION_IMPOSSIBLE)?;
    if user.times.phone_confirmed_at.is_none() {
        return Err(Error::PhoneNotConfirmed);
    }
    let what = (purpose, number, Channel::Sms);
    let text = write_text(app, &mut transaction, client, &user, what).await?;
    transaction.commit().await?;
    post_text(app, text).await?;
    Ok(())
}

/// Takes the code that was sent; it is good once.
pub async fn use_nonce(
    app: &App,
    connection: &mut PgConnection,
    user: &User,
    nonce: &Secret,
) -> Result<()> {
    app.limiters
        .wrong_codes
        .take(user.id.to_string(), app.now())?;
    let purpose = Purpose::Reauthentication;
    let stored = store::one_time_tokens::find(connection, user.id, purpose).await?;
    let stored = stored.filter(|stored| app.is_code(stored, nonce));
    let stored = stored.ok_or(REAUTHENTICATION_NOT_VALID)?;
    if !store::one_time_tokens::delete(connection, stored.id).await? {
        return Err(REAUTHENTICATION_NOT_VALID.into());
    }
    app.limiters.wrong_codes.give_back(&user.id.to_string());
    Ok(())
}
