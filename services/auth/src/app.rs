//! What every action works with.

use std::net::IpAddr;
use std::sync::Arc;

use common::{BoxError, Clock, Randomness, Secret};
use jwt::{ApiKeys, Signer, Verifier};
use pg::sqlx::{PgConnection, PgPool, Postgres, Transaction};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;

use crate::breaches::BreachConfig;
use crate::captcha::CaptchaConfig;
use crate::config::{Config, HookConfig, Limits, LinkPages, ProviderConfig, Rules, WebauthnConfig};
use crate::domain::audit::AuditEntry;
use crate::domain::derived_key::DerivedKey;
use crate::domain::one_time::{OneTimeKey, StoredOneTime};
use crate::domain::refresh_token::RefreshTokenKey;
use crate::domain::sealed::Seal;
use crate::domain::session::Client;
use crate::error::{Error, Medium, Result, TooManyMessages};
use crate::external::Provider;
use crate::hashing::Hasher;
use crate::limiter::{Limiter, TooOften, network};
use crate::mail::Postbox;
use crate::outbound::Outbound;
use crate::sms::Texter;
use crate::store;
use crate::webauthn::RelyingParty;

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
    pub rules: Box<Rules>,
    /// How often.
    pub limiters: Limiters,
    /// The platform's keys.
    pub api_keys: ApiKeys,
    /// What is stored of codes is made with it.
    pub one_time_key: OneTimeKey,
    /// Seals secrets at rest.
    pub seal: Seal,
    /// The public keys of our tokens, as a JWK set.
    pub public_keys: Value,
    /// The algorithm our tokens are signed with.
    pub signing_algorithm: String,
    /// What providers repeat or are shown is made with it.
    pub flow_key: DerivedKey,
    /// Other providers that users sign in by.
    pub providers: Vec<Arc<Provider>>,
    /// The operator's own code, asked at certain moments.
    pub hooks: Vec<HookConfig>,
    /// Who checks that somebody is there.
    pub captcha: Option<Box<CaptchaConfig>>,
    /// Who knows the passwords that thieves know.
    pub breaches: Option<Box<BreachConfig>>,
    /// Passkeys, as configured.
    pub webauthn: Box<WebauthnConfig>,
    /// Who browsers make keys for.
    pub relying_party: RelyingParty,
    /// Sends letters.
    pub postbox: Postbox,
    /// Letters that are sent after the answer.
    pub letters: TaskTracker,
    /// The pages that links in letters lead to.
    pub pages: LinkPages,
    /// Who sends text messages, in the words of `/settings`.
    pub sms_provider: &'static str,
    /// Sends text messages.
    pub texter: Texter,
    /// Asks others.
    pub outbound: Outbound,
}

/// What the key of sign-ins by other providers is derived for.
const FLOW_PURPOSE: &[u8] = b"selfdb/auth/flow/v1";

fn providers(config: &Config, outbound: &Outbound, clock: &Arc<dyn Clock>) -> Vec<Arc<Provider>> {
    let provider = |provider: &ProviderConfig| {
        let (outbound, clock) = (outbound.clone(), Arc::clone(clock));
        Arc::new(Provider::new(provider.clone(), outbound, clock))
    };
    config.providers.iter().map(provider).collect()
}

/// One limiter for each thing that is limited.
#[derive(Debug)]
pub struct Limiters {
    sign_ups: Limiter<IpAddr>,
    anonymous: Limiter<IpAddr>,
    tokens: Limiter<IpAddr>,
    user_updates: Limiter<IpAddr>,
    verifications: Limiter<IpAddr>,
    factors: Limiter<IpAddr>,
    passkeys: Limiter<IpAddr>,
    codes: Limiter<IpAddr>,
    letters: Limiter<IpAddr>,
    texts: Limiter<IpAddr>,
    /// By the address or number that was tried.
    pub wrong_passwords: Limiter<String>,
    /// By the address or number that was tried.
    pub wrong_codes: Limiter<String>,
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
    /// Asking for a code or link.
    Code,
    /// Showing one.
    Verification,
    /// Anything about second factors.
    Factor,
    /// Anything about passkeys.
    Passkey,
}

impl Limiters {
    /// Limiters that have seen nothing yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            sign_ups: Limiter::new(limits.sign_ups),
            anonymous: Limiter::new(limits.anonymous),
            tokens: Limiter::new(limits.tokens),
            user_updates: Limiter::new(limits.user_updates),
            verifications: Limiter::new(limits.verifications),
            factors: Limiter::new(limits.factors),
            passkeys: Limiter::new(limits.passkeys),
            codes: Limiter::new(limits.codes),
            letters: Limiter::new(limits.letters),
            texts: Limiter::new(limits.texts),
            wrong_passwords: Limiter::new(limits.wrong_passwords),
            wrong_codes: Limiter::new(limits.wrong_codes),
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
    ) -> std::result::Result<Self, BoxError> {
        let outbound = Outbound::new(config.private_hosts.clone())?;
        Ok(Self {
            pool,
            verifier: config.jwt.verifier(Arc::clone(&clock)),
            flow_key: DerivedKey::derive(&config.refresh_token_secret, FLOW_PURPOSE),
            providers: providers(config, &outbound, &clock),
            hooks: config.hooks.clone(),
            captcha: config.captcha.clone(),
            breaches: config.breaches.clone(),
            webauthn: config.webauthn.clone(),
            relying_party: RelyingParty::new(&config.webauthn),
            clock,
            hasher: Hasher::new(config.hashing_concurrency, Arc::clone(&randomness)),
            randomness,
            signer: config.jwt.signer(),
            refresh_key: RefreshTokenKey::derive(&config.refresh_token_secret),
            rules: config.rules.clone(),
            limiters: Limiters::new(&config.limits),
            api_keys: config.api_keys.clone(),
            one_time_key: OneTimeKey::derive(&config.refresh_token_secret),
            seal: Seal::derive(&config.refresh_token_secret)?,
            public_keys: config.jwt.public_keys(),
            signing_algorithm: config.jwt.algorithm_name().to_owned(),
            postbox: Postbox::new(&config.mail, outbound.clone())?,
            letters: TaskTracker::new(),
            pages: config.mail.pages.clone(),
            sms_provider: config.sms.twilio.as_ref().map_or("", |_| "twilio"),
            texter: Texter::new(&config.sms, outbound.clone())?,
            outbound,
        })
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
            Limited::Code => &self.limiters.codes,
            Limited::Verification => &self.limiters.verifications,
            Limited::Factor => &self.limiters.factors,
            Limited::Passkey => &self.limiters.passkeys,
        };
        Ok(limiter.take(network(client.ip), self.now())?)
    }

    /// Counts a message that a client makes us send, or refuses it.
    pub fn limit_messages(&self, medium: Medium, client: &Client) -> Result<()> {
        let limiter = match medium {
            Medium::Email => &self.limiters.letters,
            Medium::Sms => &self.limiters.texts,
        };
        let taken = limiter.take(network(client.ip), self.now());
        taken.map_err(|TooOften(pause)| {
            Error::MessagesLimited(TooManyMessages {
                medium,
                same_user: false,
                pause,
            })
        })
    }

    /// Whether a stored token is too old.
    pub fn is_over(&self, stored: &StoredOneTime) -> bool {
        let is_phone = !stored.relates_to.contains('@');
        let lifetime = if is_phone {
            self.rules.sms.code_lifetime
        } else {
            self.rules.mail.token_lifetime
        };
        self.now() > stored.created_at + lifetime
    }

    /// Whether `code` is what was sent, not too long ago.
    pub fn is_code(&self, stored: &StoredOneTime, code: &Secret) -> bool {
        let hash = self
            .one_time_key
            .code_hash(&stored.relates_to, code.expose());
        Secret::from(hash).matches(&stored.code_hash) && !self.is_over(stored)
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
