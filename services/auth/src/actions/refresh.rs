//! Trading a refresh token for the next pair of tokens.

use pg::sqlx::PgConnection;

use crate::actions::grant::{Grant, Opened, go_on};
use crate::app::{App, Limited};
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::ids::SessionId;
use crate::domain::refresh_token::{Presented, RefreshToken, StoredToken, judge};
use crate::domain::session::{Client, Ended, Session};
use crate::domain::user::User;
use crate::error::{Error, Result};
use crate::store;
use crate::store::sessions::Ending;

/// Answers the session's next tokens. Those who present one token at once, or again because an
/// answer was lost, all get the same refresh token; one who presents it too late ends the session.
pub async fn refresh(app: &App, client: &Client, presented: &RefreshToken) -> Result<Grant> {
    app.limit(Limited::Token, client)?;
    let digest = presented.digest();
    let mut transaction = app.begin().await?;
    let id = store::refresh_tokens::find_session(&mut transaction, &digest).await?;
    let id = id.ok_or(Error::RefreshTokenNotFound)?;
    // From here on one at a time; what was read before the lock may be outdated by now.
    if !store::sessions::lock(&mut transaction, id).await? {
        return Err(Error::RefreshTokenNotFound);
    }
    let session = store::sessions::find(&mut transaction, id).await?;
    let session = session.ok_or(Error::RefreshTokenNotFound)?;
    let stored = store::refresh_tokens::find(&mut transaction, id, &digest).await?;
    let stored = stored.ok_or(Error::RefreshTokenNotFound)?;
    let user = store::users::find(&mut transaction, session.user_id).await?;
    let user = user.ok_or(Error::RefreshTokenNotFound)?;
    if user.is_banned(app.now()) {
        return Err(Error::RefreshUserBanned);
    }
    check_session(app, &session)?;
    let active = store::refresh_tokens::find_active(&mut transaction, id).await?;
    let reuse_interval = app.rules.reuse_interval;
    let next = match judge(&stored, active.as_ref(), reuse_interval, app.now()) {
        Presented::Rotate => rotate(app, &mut transaction, &session, &stored).await?,
        Presented::TellActive => match told(app, &session, active.as_ref()) {
            Some(token) => (token, session.generation),
            None => rotate(app, &mut transaction, &session, &stored).await?,
        },
        Presented::Stolen => {
            end_family(app, &mut transaction, client, &user, &session).await?;
            transaction.commit().await?;
            return Err(Error::RefreshTokenAlreadyUsed);
        }
    };
    let (token, generation) = next;
    let now = app.now();
    store::sessions::update_refreshed(&mut transaction, id, generation, client, now).await?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::TokenRefreshed);
    app.audit(&mut transaction, client, entry).await?;
    let opened = go_on(app, &mut transaction, user, &session, token).await?;
    transaction.commit().await?;
    opened.granted(app).await
}

fn check_session(app: &App, session: &Session) -> Result<()> {
    match session.ended(app.rules.sessions, app.now()) {
        None => Ok(()),
        Some(Ended::Expired) => Err(Error::SessionExpired("")),
        Some(Ended::Inactive) => Err(Error::SessionExpired(" (Inactivity)")),
    }
}

/// The active token, made again; none where it was made under another key than today's.
fn told(app: &App, session: &Session, active: Option<&StoredToken>) -> Option<RefreshToken> {
    let token = app
        .refresh_key
        .token(session.id, &session.token_salt, session.generation);
    let is_active = active.is_some_and(|active| active.digest == token.digest());
    is_active.then_some(token)
}

/// New tokens of a session whose user showed something more. The session is locked.
pub async fn renew(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: User,
    id: SessionId,
) -> Result<Opened> {
    let session = store::sessions::find(connection, id).await?;
    let session = session.ok_or(Error::SessionNotFound)?;
    let active = store::refresh_tokens::find_active(connection, id).await?;
    let active = active.ok_or(Error::SessionNotFound)?;
    let (token, generation) = rotate(app, connection, &session, &active).await?;
    store::sessions::update_refreshed(connection, id, generation, client, app.now()).await?;
    go_on(app, connection, user, &session, token).await
}

/// Replaces what is active by the next generation.
async fn rotate(
    app: &App,
    connection: &mut PgConnection,
    session: &Session,
    presented: &StoredToken,
) -> Result<(RefreshToken, i64)> {
    let now = app.now();
    let generation = session.generation + 1;
    let token = app
        .refresh_key
        .token(session.id, &session.token_salt, generation);
    store::refresh_tokens::revoke_all(connection, session.id, now).await?;
    let owner = (session.id, session.user_id);
    let parent = Some(&presented.digest);
    store::refresh_tokens::insert(connection, owner, &token.digest(), parent, now).await?;
    Ok((token, generation))
}

/// Somebody else has the token, too: nobody goes on with this session.
async fn end_family(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    session: &Session,
) -> Result<()> {
    tracing::warn!(user_id = %user.id, session_id = %session.id, "a refresh token was reused");
    store::sessions::delete(connection, user.id, Ending::Only(session.id)).await?;
    let entry = AuditEntry::new(Actor::user(user), AuditAction::TokenRevoked);
    app.audit(connection, client, entry).await
}
