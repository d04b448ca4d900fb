//! Invitations, and links for others to send.

use common::Secret;
use pg::sqlx::PgConnection;

use crate::actions::accounts::{self, Asked, Newcomer, Newness, ask_ahead};
use crate::actions::caller::Admin;
use crate::actions::messages::{LetterRequest, Outgoing, post, write_unasked_letter};
use crate::app::App;
use crate::breaches::check_password;
use crate::domain::audit::{AuditAction, AuditEntry};
use crate::domain::email::EmailAddress;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::one_time::Purpose;
use crate::domain::session::Client;
use crate::domain::user::{Confirmation, Contact, NewUser, User};
use crate::error::refusal::{EMAIL_REGISTERED, EMAIL_UNKNOWN};
use crate::error::{Error, Result};
use crate::mail::{Letter, LetterKind};
use crate::store;
use crate::store::users::UserChanges;
use url::Url;

/// What a link is for.
#[derive(Debug)]
pub enum LinkKind {
    /// To confirm a sign-up with this password.
    Signup(Secret),
    /// To accept an invitation.
    Invite,
    /// To sign in; somebody without an account gets one.
    MagicLink,
    /// To choose a new password.
    Recovery,
    /// To give the current address up for another.
    EmailChangeCurrent(EmailAddress),
    /// To show another address.
    EmailChangeNew(EmailAddress),
}

impl LinkKind {
    /// Whether somebody without an account gets one.
    fn makes_accounts(&self) -> bool {
        matches!(self, Self::Signup(_) | Self::Invite | Self::MagicLink)
    }
}

/// A link that was made and not sent.
#[derive(Debug)]
pub struct Link {
    /// Its user.
    pub user: User,
    /// What the letter would say.
    pub letter: Letter,
    /// What `/verify` is to be asked for.
    pub verification: &'static str,
}

/// Invites somebody by a letter.
pub async fn invite(
    app: &App,
    client: &Client,
    admin: &Admin,
    email: EmailAddress,
    (data, redirect_to): (Metadata, Url),
) -> Result<User> {
    let contact = Contact::Email(email.clone());
    let prospect = Prospect::new(app, client, contact, data, None).await?;
    let mut transaction = app.begin().await?;
    let found = store::users::find_by_contact(&mut transaction, &prospect.contact).await?;
    let newness = newness(found.as_ref());
    let user = invited(app, &mut transaction, client, admin, found, prospect).await?;
    let request = request(
        LetterKind::Invite,
        Purpose::Confirmation,
        email,
        redirect_to,
    );
    let letter = write_unasked_letter(app, &mut transaction, &user, request).await?;
    let user = store::users::find(&mut transaction, user.id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    accounts::commit(app, transaction, client, newness.newcomer(&user)).await?;
    post(app, vec![letter]).await?;
    Ok(user)
}

/// Makes a link that the caller sends.
pub async fn generate_link(
    app: &App,
    client: &Client,
    admin: &Admin,
    (email, kind): (EmailAddress, LinkKind),
    (data, redirect_to): (Metadata, Url),
) -> Result<Link> {
    let password_hash = match &kind {
        LinkKind::Signup(password) => {
            check_password(app, password).await?;
            Some(app.hasher.hash(password).await?)
        }
        LinkKind::Invite
        | LinkKind::MagicLink
        | LinkKind::Recovery
        | LinkKind::EmailChangeCurrent(_)
        | LinkKind::EmailChangeNew(_) => None,
    };
    let contact = Contact::Email(email.clone());
    if !kind.makes_accounts() {
        known(app, &contact).await?;
    }
    let prospect = Prospect::new(app, client, contact, data, password_hash).await?;
    let mut transaction = app.begin().await?;
    let found = store::users::find_by_contact(&mut transaction, &prospect.contact).await?;
    let newness = newness(found.as_ref());
    let (user, outgoing, verification) = match kind {
        LinkKind::Signup(_) => {
            let user = signed_up(app, &mut transaction, client, found, prospect).await?;
            let kind = LetterKind::Confirmation;
            let outgoing = write(app, &mut transaction, &user, (kind, email, redirect_to)).await?;
            (user, outgoing, "signup")
        }
        LinkKind::Invite => {
            let user = invited(app, &mut transaction, client, admin, found, prospect).await?;
            let kind = LetterKind::Invite;
            let outgoing = write(app, &mut transaction, &user, (kind, email, redirect_to)).await?;
            (user, outgoing, "invite")
        }
        LinkKind::MagicLink => {
            let user = match found {
                Some(user) => user,
                None => signed_up(app, &mut transaction, client, None, prospect).await?,
            };
            let (kind, verification) = if newness == Newness::New {
                (LetterKind::Confirmation, "signup")
            } else {
                (LetterKind::MagicLink, "magiclink")
            };
            let outgoing = write(app, &mut transaction, &user, (kind, email, redirect_to)).await?;
            (user, outgoing, verification)
        }
        LinkKind::Recovery => {
            let user = found.ok_or(EMAIL_UNKNOWN)?;
            let kind = LetterKind::Recovery;
            let outgoing = write(app, &mut transaction, &user, (kind, email, redirect_to)).await?;
            (user, outgoing, "recovery")
        }
        LinkKind::EmailChangeCurrent(new) => {
            let user = found.ok_or(EMAIL_UNKNOWN)?;
            let what = (Purpose::EmailChangeCurrent, new, email);
            let outgoing = change(app, &mut transaction, &user, what, redirect_to).await?;
            (user, outgoing, "email_change_current")
        }
        LinkKind::EmailChangeNew(new) => {
            let user = found.ok_or(EMAIL_UNKNOWN)?;
            let what = (Purpose::EmailChangeNew, new.clone(), new);
            let outgoing = change(app, &mut transaction, &user, what, redirect_to).await?;
            (user, outgoing, "email_change_new")
        }
    };
    let entry = AuditEntry::new(admin.actor.clone(), AuditAction::UserModified);
    app.audit(&mut transaction, client, entry.with_user(&user))
        .await?;
    let user = store::users::find(&mut transaction, user.id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    accounts::commit(app, transaction, client, newness.newcomer(&user)).await?;
    Ok(Link {
        user,
        letter: outgoing.letter().clone(),
        verification,
    })
}

fn request(
    kind: LetterKind,
    purpose: Purpose,
    to: EmailAddress,
    redirect_to: Url,
) -> LetterRequest {
    LetterRequest {
        kind,
        purpose,
        to,
        redirect_to,
        flow: None,
    }
}

async fn write(
    app: &App,
    connection: &mut PgConnection,
    user: &User,
    (kind, to, redirect_to): (LetterKind, EmailAddress, Url),
) -> Result<Outgoing> {
    let purpose = match kind {
        LetterKind::Confirmation | LetterKind::Invite => Purpose::Confirmation,
        LetterKind::Recovery | LetterKind::MagicLink => Purpose::Recovery,
        LetterKind::EmailChange => Purpose::EmailChangeNew,
        LetterKind::Reauthentication => Purpose::Reauthentication,
    };
    let request = request(kind, purpose, to, redirect_to);
    write_unasked_letter(app, connection, user, request).await
}

async fn change(
    app: &App,
    connection: &mut PgConnection,
    user: &User,
    (purpose, new, to): (Purpose, EmailAddress, EmailAddress),
    redirect_to: Url,
) -> Result<Outgoing> {
    let taken = Contact::Email(new.clone());
    if store::users::find_by_contact(connection, &taken)
        .await?
        .is_some()
    {
        return Err(Error::EmailExists);
    }
    store::users::update_new_email(connection, user.id, new.as_str(), 0).await?;
    let user = User {
        new_email: Some(new.as_str().to_owned()),
        ..user.clone()
    };
    let request = request(LetterKind::EmailChange, purpose, to, redirect_to);
    write_unasked_letter(app, connection, &user, request).await
}

/// Refuses an address that has no account.
async fn known(app: &App, contact: &Contact) -> Result<()> {
    let mut connection = app.pool.acquire().await?;
    let found = store::users::find_by_contact(&mut connection, contact).await?;
    found.map(|_| ()).ok_or_else(|| EMAIL_UNKNOWN.into())
}

/// Who is not found is new, where an account is made at all.
fn newness(found: Option<&User>) -> Newness {
    found.map_or(Newness::New, |_| Newness::Known)
}

/// The account of somebody who is invited: a new one, or one that was not confirmed.
async fn invited(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    admin: &Admin,
    found: Option<User>,
    prospect: Prospect,
) -> Result<User> {
    let user = signed_up(app, connection, client, found, prospect).await?;
    store::users::update_invited(connection, user.id, app.now()).await?;
    let entry = AuditEntry::new(admin.actor.clone(), AuditAction::UserInvited);
    app.audit(connection, client, entry.with_user(&user))
        .await?;
    Ok(user)
}

/// An account that waits for its confirmation: a new one, or the one that does already.
async fn signed_up(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    found: Option<User>,
    prospect: Prospect,
) -> Result<User> {
    let Prospect {
        contact,
        data,
        new,
        asked,
    } = prospect;
    let Some(mut user) = found else {
        let who = (&contact, Confirmation::Pending);
        let user = accounts::insert(app, connection, client, (&new, asked), who).await?;
        return user.ok_or(Error::EmailExists);
    };
    if user.is_confirmed(&contact) {
        return Err(EMAIL_REGISTERED.into());
    }
    user.user_metadata.merge(data);
    let changes = UserChanges {
        password_hash: new.password_hash,
        user_metadata: Some(user.user_metadata.clone()),
        ..UserChanges::default()
    };
    store::users::update(connection, user.id, &changes, app.now()).await?;
    Ok(user)
}

/// The account that somebody without one would get.
struct Prospect {
    contact: Contact,
    data: Metadata,
    new: NewUser,
    asked: Asked,
}

impl Prospect {
    /// A server is asked about it here, before the transaction.
    async fn new(
        app: &App,
        client: &Client,
        contact: Contact,
        data: Metadata,
        password_hash: Option<String>,
    ) -> Result<Self> {
        check_size(&Metadata::default(), &data)?;
        let newcomer = Newcomer {
            contact,
            confirmation: Confirmation::Pending,
            data,
            password_hash,
        };
        let new = accounts::new_user(app, &newcomer);
        let Newcomer { contact, data, .. } = newcomer;
        let asked = ask_ahead(app, client, &new, Some(&contact)).await?;
        Ok(Self {
            contact,
            data,
            new,
            asked,
        })
    }
}
