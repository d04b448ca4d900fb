//! Making an account with an e-mail address or phone number and a password.

use common::Secret;
use pg::sqlx::{Postgres, Transaction};

use crate::actions::accounts::{self, Newcomer, Newness, ask_ahead};
use crate::actions::grant::{Grant, open_session};
use crate::actions::messages::{Leading, post, post_text};
use crate::actions::passwordless::{confirmation_letter, phone_confirmation};
use crate::app::{App, Limited};
use crate::breaches::check_password;
use crate::config::Switch;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::session::{Client, Method};
use crate::domain::user::{Confirmation, Contact, NewUser, User, UserTimes};
use crate::error::{Error, Result, TooManyMessages};
use crate::sms::Channel;
use crate::store;

/// Who wants an account.
#[derive(Debug)]
pub struct SignUp {
    /// What the account is known by.
    pub contact: Contact,
    /// Its password.
    pub password: Secret,
    /// What the user says of themselves.
    pub data: Metadata,
    /// Where the link to confirm the address leads.
    pub leading: Leading,
    /// How a code to confirm the number travels.
    pub channel: Channel,
}

/// What came of it.
#[derive(Debug)]
pub enum SignedUp {
    /// The account is there and the user signed in.
    In(Box<Grant>),
    /// The account waits for its address to be confirmed, or is there already: nobody can tell.
    Pending(Box<User>),
}

/// Makes an account, unless there is one.
pub async fn sign_up(app: &App, client: &Client, request: SignUp) -> Result<SignedUp> {
    app.limit(Limited::SignUp, client)?;
    if !app.rules.sign_up.is_on() {
        return Err(Error::SignUpDisabled);
    }
    let rules = app.contact_rules(&request.contact)?;
    check_password(app, &request.password).await?;
    check_size(&Metadata::default(), &request.data)?;
    // Hashed before anything is looked up: it takes as long where there is an account already.
    let hash = app.hasher.hash(&request.password).await?;
    let confirmation = confirmation(rules.autoconfirm);
    let newcomer = Newcomer {
        contact: request.contact.clone(),
        confirmation,
        data: request.data.clone(),
        password_hash: Some(hash),
    };
    let new = accounts::new_user(app, &newcomer);
    let asked = ask_ahead(app, client, &new, Some(&request.contact)).await?;
    let mut transaction = app.begin().await?;
    let existing = store::users::find_by_contact(&mut transaction, &request.contact).await?;
    if let Some(existing) = existing {
        let entry = AuditEntry::new(Actor::user(&existing), AuditAction::UserRepeatedSignUp)
            .with_provider(request.contact.provider());
        app.audit(&mut transaction, client, entry).await?;
        if rules.autoconfirm.is_on() || existing.is_confirmed(&request.contact) {
            transaction.commit().await?;
            return taken(&new, rules.autoconfirm);
        }
        // Who signs up again before they confirmed gets the message again; the account stays as
        // whoever was first made it.
        let who = (existing, Newness::Known);
        let sent = send_confirmation(app, transaction, client, who, request).await;
        return match sent {
            Ok(_)
            | Err(Error::MessagesLimited(TooManyMessages {
                same_user: true, ..
            })) => taken(&new, rules.autoconfirm),
            Err(error) => Err(error),
        };
    }
    let user = accounts::insert(
        app,
        &mut transaction,
        client,
        (&new, asked),
        (&request.contact, confirmation),
    )
    .await?;
    // None: somebody else was faster.
    let Some(user) = user else {
        return taken(&new, rules.autoconfirm);
    };
    let action = match confirmation {
        Confirmation::Confirmed => AuditAction::UserSignedUp,
        Confirmation::Pending => AuditAction::UserConfirmationRequested,
    };
    let provider = request.contact.provider();
    let entry = AuditEntry::new(Actor::user(&user), action).with_provider(provider);
    app.audit(&mut transaction, client, entry).await?;
    if confirmation == Confirmation::Pending {
        let who = (user, Newness::New);
        return send_confirmation(app, transaction, client, who, request).await;
    }
    let opened = open_session(app, &mut transaction, client, user, Method::Password).await?;
    accounts::commit(app, transaction, client, Some(&opened.user)).await?;
    Ok(SignedUp::In(Box::new(opened.granted(app).await?)))
}

fn confirmation(autoconfirm: Switch) -> Confirmation {
    match autoconfirm {
        Switch::On => Confirmation::Confirmed,
        Switch::Off => Confirmation::Pending,
    }
}

/// Sends what the address or number is confirmed with.
async fn send_confirmation(
    app: &App,
    mut transaction: Transaction<'static, Postgres>,
    client: &Client,
    (user, newness): (User, Newness),
    request: SignUp,
) -> Result<SignedUp> {
    let newcomer = newness.newcomer(&user);
    match request.contact {
        Contact::Email(_) => {
            let leading = request.leading;
            let letter = confirmation_letter(app, &mut transaction, client, &user, leading).await?;
            accounts::commit(app, transaction, client, newcomer).await?;
            post(app, letter.into_iter().collect()).await?;
        }
        Contact::Phone(phone) => {
            let how = (phone, request.channel);
            let text = phone_confirmation(app, &mut transaction, client, &user, how).await?;
            accounts::commit(app, transaction, client, newcomer).await?;
            post_text(app, text).await?;
        }
    }
    let mut connection = app.pool.acquire().await?;
    let user = store::users::find(&mut connection, user.id).await?;
    Ok(SignedUp::Pending(Box::new(
        user.ok_or(Error::UserNotFound)?,
    )))
}

/// What is answered where there is an account already. Where addresses are confirmed, it looks
/// like a new account's answer: whether somebody has an account is nobody's business.
fn taken(new: &NewUser, autoconfirm: Switch) -> Result<SignedUp> {
    if autoconfirm.is_on() {
        return Err(Error::UserAlreadyExists);
    }
    Ok(SignedUp::Pending(Box::new(User {
        id: new.id,
        audience: new.audience.clone(),
        role: new.role.clone(),
        email: new.email.as_ref().map(|email| email.as_str().to_owned()),
        phone: new.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        password_hash: None,
        times: UserTimes {
            created_at: Some(new.created_at),
            updated_at: Some(new.created_at),
            confirmation_sent_at: Some(new.created_at),
            ..UserTimes::default()
        },
        new_email: None,
        new_email_confirmations: 0,
        new_phone: None,
        app_metadata: new.app_metadata.clone(),
        user_metadata: new.user_metadata.clone(),
        identities: Vec::new(),
        factors: Vec::new(),
        is_anonymous: false,
        is_sso: false,
    })))
}
