//! Configuration, by the names GoTrue's users know. The only reader of settings in this service.

mod factors;
mod hooks;
mod limits;
mod links;
mod mail;
mod providers;
mod sms;
mod webauthn;

use std::time::Duration;

use common::{Secret, Settings};
use jwt::{ApiKeys, JwtConfig};
use pg::Endpoint;

pub use factors::FactorRules;
pub use hooks::{HookConfig, HookTarget};
pub use limits::{Limit, Limits};
pub use mail::{CustomText, LinkPages, MailConfig, MailRules, SmtpConfig, SmtpTls};
pub use providers::{Protocol, ProviderConfig};
pub use sms::{SmsConfig, SmsRules, TwilioConfig};
pub use webauthn::WebauthnConfig;

use crate::breaches::BreachConfig;
use crate::captcha::CaptchaConfig;
use crate::domain::duration::GoDuration;
use crate::domain::links::LinkRules;
use crate::domain::password::{PasswordRules, character_sets};
use crate::domain::session::SessionRules;
use crate::hooks::HookName;

/// Fewer characters than this are no password.
const MIN_PASSWORD_LENGTH: usize = 6;

/// Everything the service needs to be built.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database, as the owner of schema `auth`.
    pub endpoint: Endpoint,
    /// The most database connections at once.
    pub max_connections: u32,
    /// How access tokens are signed and checked.
    pub jwt: JwtConfig,
    /// What refresh tokens, and what is stored of codes, are derived from.
    pub refresh_token_secret: Secret,
    /// The key that `/api/v1/users/me/anon-key` tells.
    pub api_keys: ApiKeys,
    /// What callers may do.
    pub rules: Box<Rules>,
    /// How often they may do it.
    pub limits: Box<Limits>,
    /// How letters are sent.
    pub mail: Box<MailConfig>,
    /// How text messages are sent.
    pub sms: Box<SmsConfig>,
    /// Other providers that users sign in by.
    pub providers: Vec<ProviderConfig>,
    /// The operator's own code, asked at certain moments.
    pub hooks: Vec<HookConfig>,
    /// Who checks that somebody is there.
    pub captcha: Option<Box<CaptchaConfig>>,
    /// Who knows the passwords that thieves know.
    pub breaches: Option<Box<BreachConfig>>,
    /// Security keys and passkeys.
    pub webauthn: Box<WebauthnConfig>,
    /// Hosts of this machine or of private networks that may be asked.
    pub private_hosts: Vec<String>,
    /// How many passwords are hashed at once; each takes a core and 46 MiB meanwhile.
    pub hashing_concurrency: usize,
}

/// What callers may do.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Who tokens are for.
    pub audience: String,
    /// Who issues them; also where the service is reached from outside.
    pub issuer: String,
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// Whether anybody may make an account.
    pub sign_up: Switch,
    /// Whether anybody may make an account without saying who they are.
    pub anonymous: Switch,
    /// Accounts by e-mail address.
    pub email: ContactRules,
    /// Accounts by phone number.
    pub phone: ContactRules,
    /// Which passwords are accepted.
    pub passwords: PasswordRules,
    /// Whether a new password needs a session younger than a day.
    pub fresh_session_for_password: Switch,
    /// How long a refresh token that was replaced is still answered.
    pub reuse_interval: Duration,
    /// How long sessions live.
    pub sessions: SessionRules,
    /// Where links may lead.
    pub links: LinkRules,
    /// Second factors.
    pub factors: FactorRules,
    /// Whether users link further identities themselves.
    pub manual_linking: Switch,
    /// Tokens in letters.
    pub mail: MailRules,
    /// Codes in text messages.
    pub sms: SmsRules,
}

/// Accounts of one kind.
#[derive(Debug, Clone, Copy)]
pub struct ContactRules {
    /// Whether there are any.
    pub accounts: Switch,
    /// Whether an address or number counts as confirmed when it is given.
    pub autoconfirm: Switch,
}

/// Something that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is allowed.
    On,
    /// It is not.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }

    fn read(settings: &Settings<'_>, name: &str, default: Self) -> Self {
        if settings.flag(name, default.is_on()) {
            Self::On
        } else {
            Self::Off
        }
    }

    fn inverted(self) -> Self {
        match self {
            Self::On => Self::Off,
            Self::Off => Self::On,
        }
    }
}

impl Config {
    /// Reads all settings of the service; mistakes are gathered in `settings`.
    pub fn read(settings: &Settings<'_>) -> Option<Self> {
        let endpoint = Endpoint::from_settings(settings, "AUTH", "supabase_auth_admin");
        let jwt = JwtConfig::from_settings(settings);
        let api_keys = ApiKeys::from_settings(settings);
        let refresh_token_secret = settings.secret("JWT_SECRET", 32);
        let mail = MailConfig::from_settings(settings);
        let sms = SmsConfig::from_settings(settings);
        let hooks = hooks::read(settings);
        let is_hooked = |name| hooks.iter().any(|hook: &HookConfig| hook.name == name);
        let has_server = mail.as_ref().is_some_and(|mail| mail.smtp.is_some());
        let senders = Senders {
            mail: has_server || is_hooked(HookName::SendEmail),
            sms: sms.twilio.is_some() || is_hooked(HookName::SendSms),
        };
        let links = links::read(settings);
        let webauthn = links
            .as_ref()
            .map(|links| WebauthnConfig::from_settings(settings, &links.site_url));
        let rules = jwt.as_ref().zip(links);
        let rules = rules.map(|(jwt, links)| read_rules(settings, jwt, links, senders));
        let limits = Limits::from_settings(settings);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let hashing_concurrency = settings.parsed_or("AUTH_HASHING_CONCURRENCY", cores);
        if hashing_concurrency == 0 {
            settings.reject("AUTH_HASHING_CONCURRENCY", "must be at least 1");
        }
        Some(Self {
            endpoint: endpoint?,
            max_connections: settings.parsed_or("AUTH_DB_MAX_CONNECTIONS", 10),
            jwt: jwt?,
            refresh_token_secret: refresh_token_secret?,
            api_keys: api_keys?,
            rules: Box::new(rules?),
            limits: Box::new(limits),
            mail: Box::new(mail?),
            sms: Box::new(sms),
            providers: providers::read(settings),
            hooks,
            captcha: CaptchaConfig::from_settings(settings).map(Box::new),
            breaches: BreachConfig::from_settings(settings).map(Box::new),
            webauthn: Box::new(webauthn?),
            private_hosts: settings.list("AUTH_PRIVATE_HOSTS"),
            hashing_concurrency,
        })
    }
}

/// Which kinds of message can be sent.
#[derive(Debug, Clone, Copy)]
struct Senders {
    mail: bool,
    sms: bool,
}

fn read_rules(
    settings: &Settings<'_>,
    jwt: &JwtConfig,
    links: LinkRules,
    senders: Senders,
) -> Rules {
    let confirm_unless_sent = if senders.mail {
        Switch::Off
    } else {
        Switch::On
    };
    let disabled = Switch::read(settings, "GOTRUE_DISABLE_SIGNUP", Switch::Off);
    let reuse = settings.seconds(
        "GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL",
        Duration::from_secs(10),
    );
    Rules {
        audience: jwt.audience().to_owned(),
        issuer: jwt.issuer.clone(),
        token_lifetime: jwt.expiry,
        sign_up: disabled.inverted(),
        anonymous: Switch::read(
            settings,
            "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED",
            Switch::Off,
        ),
        email: ContactRules {
            accounts: Switch::read(settings, "GOTRUE_EXTERNAL_EMAIL_ENABLED", Switch::On),
            autoconfirm: Switch::read(settings, "GOTRUE_MAILER_AUTOCONFIRM", confirm_unless_sent),
        },
        phone: read_phone_rules(settings, senders),
        passwords: read_password_rules(settings),
        fresh_session_for_password: Switch::read(
            settings,
            "GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION",
            Switch::Off,
        ),
        reuse_interval: reuse,
        sessions: SessionRules {
            timebox: duration(settings, "GOTRUE_SESSIONS_TIMEBOX"),
            inactivity: duration(settings, "GOTRUE_SESSIONS_INACTIVITY_TIMEOUT"),
            single: settings.flag("GOTRUE_SESSIONS_SINGLE_PER_USER", false),
        },
        links,
        factors: FactorRules::from_settings(settings),
        manual_linking: Switch::read(
            settings,
            "GOTRUE_SECURITY_MANUAL_LINKING_ENABLED",
            Switch::Off,
        ),
        mail: MailRules::from_settings(settings),
        sms: SmsRules::from_settings(settings),
    }
}

/// Numbers that no message can be sent to are taken unconfirmed or not at all.
fn read_phone_rules(settings: &Settings<'_>, senders: Senders) -> ContactRules {
    let accounts = Switch::read(settings, "GOTRUE_EXTERNAL_PHONE_ENABLED", Switch::Off);
    let autoconfirm = Switch::read(settings, "GOTRUE_SMS_AUTOCONFIRM", Switch::Off);
    let has_codes = senders.sms || settings.text("GOTRUE_SMS_TEST_OTP").is_some();
    if accounts.is_on() && !autoconfirm.is_on() && !has_codes {
        settings.reject(
            "GOTRUE_SMS_AUTOCONFIRM",
            "must be true where GOTRUE_EXTERNAL_PHONE_ENABLED is and no messages can be sent",
        );
    }
    ContactRules {
        accounts,
        autoconfirm,
    }
}

fn read_password_rules(settings: &Settings<'_>) -> PasswordRules {
    let min_length = settings.parsed_or("GOTRUE_PASSWORD_MIN_LENGTH", MIN_PASSWORD_LENGTH);
    if min_length > 72 {
        settings.reject("GOTRUE_PASSWORD_MIN_LENGTH", "must be at most 72");
    }
    let sets = settings.text_or("GOTRUE_PASSWORD_REQUIRED_CHARACTERS", "");
    PasswordRules {
        min_length: min_length.max(MIN_PASSWORD_LENGTH),
        required_characters: character_sets(&sets),
    }
}

/// A duration in Go's notation; none where it is not set or zero.
fn duration(settings: &Settings<'_>, name: &str) -> Option<Duration> {
    let GoDuration(duration) = settings.parsed(name)?;
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use common::EnvironmentMap;

    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let environment = EnvironmentMap::from_iter([
            ("GOTRUE_PASSWORD_MIN_LENGTH", "100"),
            ("GOTRUE_EXTERNAL_PHONE_ENABLED", "true"),
            ("GOTRUE_SESSIONS_TIMEBOX", "a day"),
            ("AUTH_HASHING_CONCURRENCY", "0"),
            ("JWT_SECRET", "0123456789abcdefghijklmnopqrstuvwxyz"),
        ]);
        let settings = Settings::new(&environment);
        let config = Config::read(&settings);
        let errors = settings.finish(config).expect_err("much is wrong");
        let names: Vec<&str> = errors.0.iter().map(|error| error.name.as_str()).collect();
        for name in [
            "AUTH_DB_PASSWORD",
            "ANON_KEY",
            "GOTRUE_PASSWORD_MIN_LENGTH",
            "GOTRUE_SMS_AUTOCONFIRM",
            "GOTRUE_SESSIONS_TIMEBOX",
            "AUTH_HASHING_CONCURRENCY",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
    }
}
