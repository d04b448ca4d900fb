//! Making an account without saying who one is.

use crate::actions::accounts::{self, Asked, ask_ahead, before_created};
use crate::actions::grant::{Grant, open_session};
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::ids::UserId;
use crate::domain::metadata::{Metadata, check_size};
use crate::domain::session::{Client, Method};
use crate::domain::user::{DEFAULT_ROLE, NewUser};
use crate::error::{Error, Result};
use crate::store;

/// Makes an anonymous account with what its user says in `data`, and signs in.
pub async fn sign_in_anonymously(app: &App, client: &Client, data: Metadata) -> Result<Grant> {
    if !app.rules.anonymous.is_on() {
        return Err(Error::AnonymousDisabled);
    }
    app.limit(Limited::Anonymous, client)?;
    if !app.rules.sign_up.is_on() {
        return Err(Error::SignUpDisabled);
    }
    check_size(&Metadata::default(), &data)?;
    let new = NewUser {
        id: UserId(app.randomness.uuid()),
        audience: app.rules.audience.clone(),
        role: DEFAULT_ROLE.to_owned(),
        email: None,
        phone: None,
        password_hash: None,
        email_confirmed_at: None,
        phone_confirmed_at: None,
        app_metadata: Metadata::default(),
        user_metadata: data,
        is_anonymous: true,
        is_super_admin: false,
        banned_until: None,
        created_at: app.now(),
    };
    let asked = ask_ahead(app, client, &new, None).await?;
    let mut transaction = app.begin().await?;
    if asked == Asked::NotYet {
        before_created(app, &mut transaction, client, &new).await?;
    }
    store::users::insert(&mut transaction, &new).await?;
    let user = store::users::find(&mut transaction, new.id).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::UserSignedUp);
    app.audit(&mut transaction, client, entry.with_provider("anonymous"))
        .await?;
    let opened = open_session(app, &mut transaction, client, user, Method::Anonymous).await?;
    accounts::commit(app, transaction, client, Some(&opened.user)).await?;
    opened.granted(app).await
}
