//! Opening a session for a user, and the tokens that come with it.

use pg::sqlx::PgConnection;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

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
use crate::hooks::HookName;
use crate::store;
use crate::store::sessions::Ending;

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

/// A session that is open, in a transaction that is not over yet. Its access token is there
/// afterwards: a server that has a say in it is asked when no connection is held.
#[derive(Debug)]
#[must_use = "the tokens are there once it is granted, after the commit"]
pub struct Opened {
    /// Who is signed in.
    pub user: User,
    session: SessionId,
    /// Whether the session began just now.
    is_new: bool,
    refresh_token: RefreshToken,
    expires_at: OffsetDateTime,
    token: Token,
}

/// What was shown for a session and is good once, as its row was.
#[derive(Debug)]
pub enum Spent {
    /// What a link had or a code that was typed.
    OneTimeToken(Value),
    /// The code at the end of a sign-in.
    Code(Value),
}

impl Spent {
    async fn put_back(&self, app: &App) -> Result<()> {
        let mut connection = app.pool.acquire().await?;
        match self {
            Self::OneTimeToken(row) => {
                store::one_time_tokens::put_back(&mut connection, row).await?;
            }
            Self::Code(row) => store::flow_states::put_back(&mut connection, row).await?,
        }
        Ok(())
    }
}

/// An access token, or what has to be asked before there is one.
#[derive(Debug)]
enum Token {
    Signed(String),
    Asked { question: Value, ours: Value },
}

impl Opened {
    /// The same for what is good once: where no token is granted it may be shown again.
    pub async fn granted_for(self, app: &App, spent: &Spent) -> Result<Grant> {
        let granted = self.granted(app).await;
        if granted.is_err()
            && let Err(error) = spent.put_back(app).await
        {
            // It counts as used: the user asks for another.
            let chain = common::error::chain(&error);
            tracing::warn!(error = %chain, "what was shown for a session could not be put back");
        }
        granted
    }

    /// The tokens, once the transaction is over. A new session that gets none is ended.
    pub async fn granted(self, app: &App) -> Result<Grant> {
        let access_token = match self.token {
            Token::Signed(token) => token,
            Token::Asked { question, ours } => {
                let asked = ask_server(app, &question, &ours).await;
                if asked.is_err() && self.is_new {
                    let mut connection = app.pool.acquire().await?;
                    let ending = Ending::Only(self.session);
                    store::sessions::delete(&mut connection, self.user.id, ending).await?;
                }
                asked?
            }
        };
        Ok(Grant {
            access_token,
            expires_at: self.expires_at.unix_timestamp(),
            expires_in: app.rules.token_lifetime.as_secs(),
            refresh_token: self.refresh_token,
            user: self.user,
            weak_password: None,
            provider_tokens: ProviderTokens::default(),
        })
    }
}

/// Opens a session for `user`, who proved who they are by `method`.
pub async fn open_session(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    mut user: User,
    method: Method,
) -> Result<Opened> {
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
    if app.rules.sessions.single {
        let ending = Ending::AllBut(session.id);
        store::sessions::delete(connection, user.id, ending).await?;
    }
    let session = find_session(connection, session.id).await?;
    let opened = go_on(app, connection, user, &session, refresh_token).await?;
    Ok(Opened {
        is_new: true,
        ..opened
    })
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

/// A session that is open already, whose active refresh token is known.
pub async fn go_on(
    app: &App,
    connection: &mut PgConnection,
    user: User,
    session: &Session,
    refresh_token: RefreshToken,
) -> Result<Opened> {
    let issued_at = app.now();
    let expires_at = issued_at + app.rules.token_lifetime;
    let claims = AccessClaims::new(&app.rules.issuer, &user, session, issued_at, expires_at);
    let token = token(app, connection, session, &claims).await?;
    Ok(Opened {
        session: session.id,
        is_new: false,
        refresh_token,
        expires_at,
        token,
        user,
    })
}

async fn token(
    app: &App,
    connection: &mut PgConnection,
    session: &Session,
    claims: &AccessClaims<'_>,
) -> Result<Token> {
    let name = HookName::CustomAccessToken;
    if !app.has_hook(name) {
        let signed = app.signer.sign(claims).map_err(Error::internal)?;
        return Ok(Token::Signed(signed));
    }
    let ours = serde_json::to_value(claims).map_err(Error::internal)?;
    let method = session
        .methods
        .first()
        .map_or("", |method| method.method.as_str());
    let question = json!({
        "user_id": session.user_id, "claims": ours, "authentication_method": method,
    });
    if app.has_server_hook(name) {
        return Ok(Token::Asked { question, ours });
    }
    let answer = app.ask_hook_within(connection, name, &question).await?;
    Ok(Token::Signed(signed(app, answer, &ours)?))
}

async fn ask_server(app: &App, question: &Value, ours: &Value) -> Result<String> {
    let name = HookName::CustomAccessToken;
    let answer = app.ask_hook(name, question).await?;
    signed(app, answer, ours)
}

/// A token with the claims as the operator's own code wants them. What says whose it is, in which
/// session and until when, stays as it is.
fn signed(app: &App, answer: Option<Customised>, ours: &Value) -> Result<String> {
    let mut claims = answer.map_or_else(Map::new, |answer| answer.claims);
    for required in REQUIRED_CLAIMS {
        if !claims.contains_key(required) {
            let message = "output claims do not conform to the expected schema";
            return Err(Error::internal(message));
        }
    }
    for fixed in FIXED_CLAIMS {
        if let Some(value) = ours.get(fixed) {
            claims.insert(fixed.to_owned(), value.clone());
        }
    }
    app.signer.sign(&claims).map_err(Error::internal)
}

#[derive(Deserialize)]
struct Customised {
    claims: Map<String, Value>,
}

/// What a token of GoTrue's always says.
const REQUIRED_CLAIMS: [&str; 10] = [
    "aud",
    "exp",
    "iat",
    "sub",
    "email",
    "phone",
    "role",
    "aal",
    "session_id",
    "is_anonymous",
];
/// What the operator's code does not decide.
const FIXED_CLAIMS: [&str; 5] = ["iss", "sub", "exp", "iat", "session_id"];
