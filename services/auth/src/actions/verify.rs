//! Taking what was sent: a link that was followed or a code that was typed.

mod apply;

use common::Secret;
use pg::sqlx::PgConnection;

use crate::actions::grant::{Grant, Spent, open_session};
use crate::app::{App, Limited};
use crate::domain::flow_state::ProviderTokens;
use crate::domain::one_time::{StoredOneTime, link_hash};
use crate::domain::session::{Client, Method};
use crate::domain::user::{Contact, User};
use crate::domain::verification::VerificationType;
use crate::error::Result;
use crate::error::refusal::{LINK_EXPIRED, OTP_EXPIRED, Refusal, USER_BANNED};
use crate::store;

/// What is shown.
#[derive(Debug)]
pub enum Proof {
    /// What a link had.
    Link(Secret),
    /// What was typed, and where it was sent.
    Code(Contact, Secret),
}

/// What is asked for in return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A session.
    Session,
    /// What the client that began asked for: a session, or a code for one. A browser asks.
    AsBegun,
}

/// What came of it.
#[derive(Debug)]
pub enum Verified {
    /// The user is signed in.
    In(Box<Grant>),
    /// The client that began gets the session for this code.
    Code(String),
    /// One of two addresses has confirmed.
    Half,
}

/// The characters of a code for a session, six random bits each.
const CODE_LENGTH: usize = 43;

/// Takes a proof: it is good once, for a while, for what it was sent for.
pub async fn verify(
    app: &App,
    client: &Client,
    kind: VerificationType,
    proof: &Proof,
    wanted: Wanted,
) -> Result<Verified> {
    app.limit(Limited::Verification, client)?;
    let refusal = match proof {
        Proof::Link(_) => LINK_EXPIRED,
        Proof::Code(..) => OTP_EXPIRED,
    };
    let mut transaction = app.begin().await?;
    let found = find(app, &mut transaction, kind, proof).await?;
    let (user, stored) = found.ok_or(refusal)?;
    if user.is_banned(app.now()) {
        return Err(USER_BANNED.into());
    }
    let spent = take(app, &mut transaction, &stored, refusal).await?;
    let Some(user) = apply::apply(app, &mut transaction, client, user, &stored).await? else {
        transaction.commit().await?;
        return Ok(Verified::Half);
    };
    let flow = stored.flow_state.filter(|_| wanted == Wanted::AsBegun);
    if let Some(flow) = flow {
        let code = common::random::token(&*app.randomness, CODE_LENGTH);
        let tokens = ProviderTokens::default();
        let who = (flow, user.id);
        let now = app.now();
        if !store::flow_states::issue_code(&mut transaction, who, &code, &tokens, now).await? {
            return Err(refusal.into());
        }
        transaction.commit().await?;
        return Ok(Verified::Code(code));
    }
    let opened = open_session(app, &mut transaction, client, user, Method::Otp).await?;
    transaction.commit().await?;
    let granted = Box::pin(opened.granted_for(app, &spent)).await?;
    Ok(Verified::In(Box::new(granted)))
}

/// The token that is meant, and its user, whom nobody else changes meanwhile.
async fn find(
    app: &App,
    connection: &mut PgConnection,
    kind: VerificationType,
    proof: &Proof,
) -> Result<Option<(User, StoredOneTime)>> {
    match proof {
        Proof::Link(link) => find_by_link(connection, kind, link).await,
        Proof::Code(contact, code) => {
            let account = contact.as_str().to_owned();
            app.limiters.wrong_codes.take(account.clone(), app.now())?;
            let found = find_by_code(app, connection, kind, (contact, code)).await?;
            if found.is_some() {
                app.limiters.wrong_codes.give_back(&account);
            }
            Ok(found)
        }
    }
}

async fn find_by_link(
    connection: &mut PgConnection,
    kind: VerificationType,
    link: &Secret,
) -> Result<Option<(User, StoredOneTime)>> {
    let hash = link_hash(link.expose());
    let stored = store::one_time_tokens::find_by_link(connection, &hash).await?;
    let Some(stored) = stored.filter(|stored| kind.purposes().contains(&stored.purpose)) else {
        return Ok(None);
    };
    let user = store::users::find_for_update(connection, stored.user_id).await?;
    Ok(user.map(|user| (user, stored)))
}

async fn find_by_code(
    app: &App,
    connection: &mut PgConnection,
    kind: VerificationType,
    (contact, code): (&Contact, &Secret),
) -> Result<Option<(User, StoredOneTime)>> {
    let changes = matches!(
        kind,
        VerificationType::EmailChange | VerificationType::PhoneChange
    );
    let mut users = Vec::new();
    if changes {
        users.extend(store::users::find_by_new_contact(connection, contact).await?);
    }
    users.extend(store::users::find_by_contact(connection, contact).await?);
    for user in users {
        for purpose in kind.purposes() {
            let stored = store::one_time_tokens::find(connection, user.id, *purpose).await?;
            let is_meant = |stored: &StoredOneTime| {
                stored.relates_to == contact.as_str() && app.is_code(stored, code)
            };
            if let Some(stored) = stored.filter(is_meant) {
                let user = store::users::find_for_update(connection, user.id).await?;
                return Ok(user.map(|user| (user, stored)));
            }
        }
    }
    Ok(None)
}

/// Removes the token; of two who show it at once, one succeeds.
async fn take(
    app: &App,
    connection: &mut PgConnection,
    stored: &StoredOneTime,
    refusal: Refusal,
) -> Result<Spent> {
    let taken = store::one_time_tokens::take(connection, stored.id).await?;
    match taken.filter(|_| !app.is_over(stored)) {
        Some(row) => Ok(Spent::OneTimeToken(row)),
        None => Err(refusal.into()),
    }
}
