//! What every action works with.

use std::net::IpAddr;
use std::sync::Arc;

use common::{Clock, Randomness};
use jwt::{ApiKeys, Signer, Verifier};
use pg::sqlx::{PgConnection, PgPool, Postgres, Transaction};
use time::OffsetDateTime;

use crate::config::{Config, Limits, Rules};
use crate::domain::audit::AuditEntry;
use crate::domain::refresh_token::RefreshTokenKey;
use crate::domain::session::Client;
use crate::error::Result;
use crate::hashing::Hasher;
use crate::limiter::{Limiter, network};
use crate::store;

/// The service's parts, shared by all requests.
pub struct App {
    /// The database, as the owner of schema `auth`.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub randomness: Arc<dyn Randomness>,
    /// Signs access tokens.
    pub signer: Signer,
    /// Checks access tokens.
    pub verifier: Verifier,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// What refresh tokens are derived from.
    pub refresh_key: RefreshTokenKey,
    /// What callers may do.
    pub rules: Rules,
    /// How often.
    pub limiters: Limiters,
    /// The platform's keys.
    pub api_keys: ApiKeys,
}

/// One limiter for each thing that is limited.
#[derive(Debug)]
pub struct Limiters {
    sign_ups: Limiter<IpAddr>,
    anonymous: Limiter<IpAddr>,
    tokens: Limiter<IpAddr>,
    user_updates: Limiter<IpAddr>,
    /// By the address or number that was tried.
    pub wrong_passwords: Limiter<String>,
}

/// What is limited by the caller's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Making an account.
    SignUp,
    /// Making an account without saying who one is.
    Anonymous,
    /// Signing in and refreshing.
    Token,
    /// Changing one's account.
    UserUpdate,
}

impl Limiters {
    /// Limiters that have seen nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            sign_ups: Limiter::new(limits.sign_ups),
            anonymous: Limiter::new(limits.anonymous),
            tokens: Limiter::new(limits.tokens),
            user_updates: Limiter::new(limits.user_updates),
            wrong_passwords: Limiter::new(limits.wrong_passwords),
        }
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(
        config: &Config,
        pool: PgPool,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            pool,
            verifier: config.jwt.verifier(Arc::clone(&clock)),
            clock,
            hasher: Hasher::new(config.hashing_concurrency, Arc::clone(&randomness)),
            randomness,
            signer: config.jwt.signer(),
            refresh_key: RefreshTokenKey::derive(&config.refresh_token_secret),
            rules: config.rules.clone(),
            limiters: Limiters::new(config.limits),
            api_keys: config.api_keys.clone(),
        }
    }

    /// Now, to the microsecond, as Postgres keeps it.
    pub fn now(&self) -> OffsetDateTime {
        let now = self.clock.now();
        let whole = now.nanosecond() / 1_000 * 1_000;
        now.replace_nanosecond(whole).unwrap_or(now)
    }

    /// A transaction that is rolled back unless it is committed.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        Ok(self.pool.begin().await?)
    }

    /// Counts what a client does, or refuses it.
    pub fn limit(&self, what: Limited, client: &Client) -> Result<()> {
        let limiter = match what {
            Limited::SignUp => &self.limiters.sign_ups,
            Limited::Anonymous => &self.limiters.anonymous,
            Limited::Token => &self.limiters.tokens,
            Limited::UserUpdate => &self.limiters.user_updates,
        };
        Ok(limiter.take(network(client.ip), self.now())?)
    }

    /// Records an event in the audit log, in the transaction of what happened.
    pub async fn audit(
        &self,
        connection: &mut PgConnection,
        client: &Client,
        entry: AuditEntry,
    ) -> Result<()> {
        let id = self.randomness.uuid();
        let now = self.now();
        Ok(store::audit::insert(connection, id, &entry, client.ip, now).await?)
    }
}
