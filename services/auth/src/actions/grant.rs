//! Opening a session for a user, and the tokens that come with it.

use pg::sqlx::PgConnection;

use crate::app::App;
use crate::domain::audit::{Actor, AuditAction, AuditEntry};
use crate::domain::claims::AccessClaims;
use crate::domain::flow_state::ProviderTokens;
use crate::domain::ids::SessionId;
use crate::domain::password::WeakPassword;
use crate::domain::refresh_token::RefreshToken;
use crate::domain::session::{Client, Method, NewSession, Session};
use crate::domain::user::User;
use crate::error::{Error, Result};
use crate::store;

/// The characters of a session's salt, six random bits each.
const SALT_LENGTH: usize = 43;

/// What a client is signed in with.
#[derive(Debug)]
pub struct Grant {
    /// The access token.
    pub access_token: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
    /// How long it lives, in seconds.
    pub expires_in: u64,
    /// What the next tokens are got with.
    pub refresh_token: RefreshToken,
    /// Who is signed in.
    pub user: User,
    /// What is weak about the password that was used, by today's rules.
    pub weak_password: Option<WeakPassword>,
    /// The tokens of the provider that was signed in by.
    pub provider_tokens: ProviderTokens,
}

/// Opens a session for `user`, who proved who they are by `method`.
pub async fn open_session(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    mut user: User,
    method: Method,
) -> Result<Grant> {
    let now = app.now();
    let session = NewSession {
        id: SessionId(app.randomness.uuid()),
        user_id: user.id,
        created_at: now,
        token_salt: common::random::token(&*app.randomness, SALT_LENGTH),
        client: client.clone(),
    };
    store::users::update_last_sign_in(connection, user.id, now).await?;
    user.times.last_sign_in_at = Some(now);
    user.times.updated_at = Some(now);
    let claim_id = app.randomness.uuid();
    store::sessions::insert(connection, &session, method, claim_id).await?;
    let refresh_token = app.refresh_key.token(session.id, &session.token_salt, 1);
    let digest = refresh_token.digest();
    let owner = (session.id, user.id);
    store::refresh_tokens::insert(connection, owner, &digest, None, now).await?;
    let entry = AuditEntry::new(Actor::user(&user), AuditAction::Login);
    app.audit(connection, client, entry.with_provider(provider(&user)))
        .await?;
    let session = find_session(connection, session.id).await?;
    grant(app, user, &session, refresh_token)
}

fn provider(user: &User) -> &str {
    let provider = user.app_metadata.get("provider");
    provider
        .and_then(|provider| provider.as_str())
        .unwrap_or("anonymous")
}

async fn find_session(connection: &mut PgConnection, id: SessionId) -> Result<Session> {
    let session = store::sessions::find(connection, id).await?;
    session.ok_or(Error::SessionNotFound)
}

/// The tokens of a session whose active refresh token is known.
pub fn grant(
    app: &App,
    user: User,
    session: &Session,
    refresh_token: RefreshToken,
) -> Result<Grant> {
    let issued_at = app.now();
    let expires_at = issued_at + app.rules.token_lifetime;
    let claims = AccessClaims::new(&app.rules.issuer, &user, session, issued_at, expires_at);
    let access_token = app.signer.sign(&claims).map_err(Error::internal)?;
    Ok(Grant {
        access_token,
        expires_at: expires_at.unix_timestamp(),
        expires_in: app.rules.token_lifetime.as_secs(),
        refresh_token,
        user,
        weak_password: None,
        provider_tokens: ProviderTokens::default(),
    })
}
