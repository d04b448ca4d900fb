//! Signing in by a password.

use common::Secret;
use serde_json::json;

use crate::actions::grant::{Grant, open_session};
use crate::app::{App, Limited};
use crate::domain::password_hash::Verdict;
use crate::domain::session::{Client, Method};
use crate::domain::user::{Contact, User};
use crate::error::{Error, Rejection, Result};
use crate::hooks::{Decision, HookName};
use crate::store;
use crate::store::sessions::Ending;

/// Who wants to sign in. The contact is none where what was sent is no address or number.
#[derive(Debug)]
pub struct SignIn {
    /// What the account is known by.
    pub contact: Option<Contact>,
    /// Its password.
    pub password: Secret,
}

/// How often a sign-in starts again because the password's hash changed while it was checked.
const ATTEMPTS: usize = 3;

/// Opens a session for the user whose password it is. Unknown users and wrong passwords get the
/// same answer after the same time.
pub async fn sign_in(app: &App, client: &Client, request: &SignIn) -> Result<Grant> {
    app.limit(Limited::Token, client)?;
    if let Some(contact) = &request.contact {
        app.contact_rules(contact)?;
    }
    for _ in 0..ATTEMPTS {
        let checked = check(app, request).await?;
        if let Some(mut grant) = open(app, client, request, checked).await? {
            grant.weak_password = app.rules.passwords.weakness(request.password.expose());
            return Ok(grant);
        }
    }
    Err(Error::InvalidCredentials)
}

/// A user whose password it was a moment ago.
struct Checked {
    user: User,
    /// The password under a hash of ours, where the stored one came from elsewhere.
    new_hash: Option<String>,
}

/// The user whose password it is. No connection is held while the password is checked.
async fn check(app: &App, request: &SignIn) -> Result<Checked> {
    let account = request.contact.as_ref().map(Contact::as_str);
    let account = account.unwrap_or_default().to_owned();
    // Counted first and taken back on success, so that many at once count, too.
    app.limiters
        .wrong_passwords
        .take(account.clone(), app.now())?;
    let user = match &request.contact {
        None => None,
        Some(contact) => {
            let mut connection = app.pool.acquire().await?;
            store::users::find_by_contact(&mut connection, contact).await?
        }
    };
    let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let verdict = app.hasher.verify(&request.password, stored).await?;
    if let Some(user) = &user {
        ask_password_hook(app, user, verdict).await?;
    }
    let user = user.filter(|_| verdict != Verdict::Wrong);
    let user = user.ok_or(Error::InvalidCredentials)?;
    app.limiters.wrong_passwords.give_back(&account);
    let new_hash = match verdict {
        Verdict::RightButOutdated => Some(app.hasher.hash(&request.password).await?),
        Verdict::Right | Verdict::Wrong => None,
    };
    Ok(Checked { user, new_hash })
}

/// Tells the operator's own code that a password was shown, and does what it decides.
async fn ask_password_hook(app: &App, user: &User, verdict: Verdict) -> Result<()> {
    let name = HookName::PasswordVerificationAttempt;
    if !app.has_hook(name) {
        return Ok(());
    }
    let payload = json!({ "user_id": user.id, "valid": verdict != Verdict::Wrong });
    let answer: Option<Decision> = app.ask_hook(name, &payload).await?;
    let Some(decision) = answer.filter(Decision::is_rejection) else {
        return Ok(());
    };
    if decision.should_logout_user {
        let mut connection = app.pool.acquire().await?;
        store::sessions::delete(&mut connection, user.id, Ending::All).await?;
    }
    Err(Error::Rejected(Rejection::Password, decision.message()))
}

/// Opens the session; none where the password was changed since it was checked.
async fn open(
    app: &App,
    client: &Client,
    request: &SignIn,
    checked: Checked,
) -> Result<Option<Grant>> {
    let mut transaction = app.begin().await?;
    let user = store::users::find_for_update(&mut transaction, checked.user.id).await?;
    let user = user.ok_or(Error::InvalidCredentials)?;
    if user.password_hash != checked.user.password_hash {
        return Ok(None);
    }
    if user.is_banned(app.now()) {
        return Err(Error::UserBanned);
    }
    check_confirmed(&user, request.contact.as_ref())?;
    if let Some(hash) = &checked.new_hash {
        store::users::replace_hash(&mut transaction, user.id, hash).await?;
    }
    let opened = open_session(app, &mut transaction, client, user, Method::Password).await?;
    transaction.commit().await?;
    Ok(Some(opened.granted(app).await?))
}

fn check_confirmed(user: &User, contact: Option<&Contact>) -> Result<()> {
    match contact {
        Some(Contact::Email(_)) if user.times.email_confirmed_at.is_none() => {
            Err(Error::EmailNotConfirmed)
        }
        Some(Contact::Phone(_)) if user.times.phone_confirmed_at.is_none() => {
            Err(Error::PhoneNotConfirmed)
        }
        Some(_) | None => Ok(()),
    }
}

/// Checks that a signed-in user knows the current password; attempts are limited as sign-ins are.
pub async fn check_current_password(
    app: &App,
    client: &Client,
    user: &User,
    password: &Secret,
) -> Result<()> {
    app.limit(Limited::Token, client)?;
    let account = user.id.to_string();
    app.limiters
        .wrong_passwords
        .take(account.clone(), app.now())?;
    let stored = user.password_hash.as_deref();
    match app.hasher.verify(password, stored).await? {
        Verdict::Wrong => Err(Error::InvalidCredentials),
        Verdict::Right | Verdict::RightButOutdated => {
            app.limiters.wrong_passwords.give_back(&account);
            Ok(())
        }
    }
}
