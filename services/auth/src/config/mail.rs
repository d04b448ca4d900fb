//! How letters are written and sent.

use std::time::Duration;

use common::{Secret, Settings};
use lettre::message::Mailbox;
use url::Url;

use super::duration;
use crate::mail::{LetterKind, Template};

/// How letters are written and sent.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server that takes them; none where letters are not sent by SMTP.
    pub smtp: Option<SmtpConfig>,
    /// What the operator wants them to say, instead of the built-in texts.
    pub texts: Vec<CustomText>,
    /// The page that links lead to, per kind of letter.
    pub pages: LinkPages,
}

/// A server that takes letters.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Whom it knows us as.
    pub credentials: Option<(String, Secret)>,
    /// Who writes.
    pub sender: Mailbox,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From its first byte.
    Implicit,
    /// By STARTTLS, or not at all.
    Required,
    /// By STARTTLS where the server offers it.
    Opportunistic,
    /// Not at all.
    Off,
}

/// What the operator wants a letter to say.
#[derive(Debug, Clone)]
pub struct CustomText {
    /// Which letter.
    pub kind: LetterKind,
    /// Its subject.
    pub subject: Option<String>,
    /// Where its template is: a file or an address.
    pub template: Option<String>,
}

/// The pages that links lead to.
#[derive(Debug, Clone)]
pub struct LinkPages {
    /// To confirm a sign-up, and to sign in.
    pub confirmation: Url,
    /// To accept an invitation.
    pub invite: Url,
    /// To choose a new password.
    pub recovery: Url,
    /// To change an address.
    pub email_change: Url,
}

/// What is true of tokens in letters.
#[derive(Debug, Clone, Copy)]
pub struct MailRules {
    /// How many digits a code has.
    pub code_digits: usize,
    /// How long a token is good.
    pub token_lifetime: Duration,
    /// How long between two letters to one user.
    pub pause: Duration,
    /// Whether a change of address is confirmed by the old one, too.
    pub both_addresses: bool,
}

impl MailConfig {
    /// Reads `GOTRUE_SMTP_…` and `GOTRUE_MAILER_…`.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let texts = LetterKind::ALL.into_iter().map(|kind| CustomText {
            kind,
            subject: settings.text(&format!("GOTRUE_MAILER_SUBJECTS_{}", kind.setting())),
            template: settings.text(&format!("GOTRUE_MAILER_TEMPLATES_{}", kind.setting())),
        });
        let texts: Vec<CustomText> = texts.collect();
        check_subjects(settings, &texts);
        let confirmation = page(settings, "CONFIRMATION");
        let invite = page(settings, "INVITE");
        let recovery = page(settings, "RECOVERY");
        let email_change = page(settings, "EMAIL_CHANGE");
        Some(Self {
            smtp: read_smtp(settings),
            texts,
            pages: LinkPages {
                confirmation: confirmation?,
                invite: invite?,
                recovery: recovery?,
                email_change: email_change?,
            },
        })
    }
}

/// The page that links of one kind lead to: `/verify` of this service unless set.
fn page(settings: &Settings<'_>, name: &str) -> Option<Url> {
    let name = format!("GOTRUE_MAILER_URLPATHS_{name}");
    let external = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
    let external = external.trim_end_matches('/');
    let path = settings.text_or(&name, "/auth/v1/verify");
    let page = if path.starts_with('/') {
        Url::parse(&format!("{external}{path}"))
    } else {
        Url::parse(&path)
    };
    page.map_err(|_| settings.reject(&name, "is neither a path nor a URL"))
        .ok()
}

/// Checks at start what can be checked then.
fn check_subjects(settings: &Settings<'_>, texts: &[CustomText]) {
    for text in texts {
        let subject = text.subject.as_deref().map(Template::parse);
        if let Some(Err(error)) = subject {
            let name = format!("GOTRUE_MAILER_SUBJECTS_{}", text.kind.setting());
            settings.reject(&name, error.to_string());
        }
    }
}

impl MailRules {
    /// Reads what `GOTRUE_MAILER_…` and `GOTRUE_SMTP_MAX_FREQUENCY` say of tokens.
    pub fn from_settings(settings: &Settings<'_>) -> Self {
        Self {
            code_digits: code_digits(settings, "GOTRUE_MAILER_OTP_LENGTH"),
            token_lifetime: settings.seconds("GOTRUE_MAILER_OTP_EXP", Duration::from_hours(1)),
            pause: pause(settings, "GOTRUE_SMTP_MAX_FREQUENCY"),
            both_addresses: settings.flag("GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED", true),
        }
    }
}

/// How many digits a code has: 6 unless set, as many as can still be typed.
pub(super) fn code_digits(settings: &Settings<'_>, name: &str) -> usize {
    let digits = settings.parsed_or(name, 6);
    if !(6..=10).contains(&digits) {
        settings.reject(name, "must be from 6 to 10");
    }
    digits
}

/// How long between two messages to one user; a minute unless set.
pub(super) fn pause(settings: &Settings<'_>, name: &str) -> Duration {
    if settings.text(name).is_none() {
        return Duration::from_mins(1);
    }
    duration(settings, name).unwrap_or_default()
}

fn read_smtp(settings: &Settings<'_>) -> Option<SmtpConfig> {
    let host = settings.text("GOTRUE_SMTP_HOST")?;
    let port = settings.port("GOTRUE_SMTP_PORT", 587);
    let user = settings.text("GOTRUE_SMTP_USER");
    let password = settings.text("GOTRUE_SMTP_PASS").map(Secret::from);
    let tls = match settings.text("GOTRUE_SMTP_TLS").as_deref() {
        Some("implicit") => SmtpTls::Implicit,
        Some("required") => SmtpTls::Required,
        Some("opportunistic") => SmtpTls::Opportunistic,
        Some("off") => SmtpTls::Off,
        None => match port {
            465 => SmtpTls::Implicit,
            587 => SmtpTls::Required,
            _ => SmtpTls::Opportunistic,
        },
        Some(_) => {
            let problem = "must be one of implicit, required, opportunistic, off";
            settings.reject("GOTRUE_SMTP_TLS", problem);
            SmtpTls::Required
        }
    };
    let sender = read_sender(settings)?;
    Some(SmtpConfig {
        host,
        port,
        tls,
        credentials: user.zip(password),
        sender,
    })
}

fn read_sender(settings: &Settings<'_>) -> Option<Mailbox> {
    let address = settings.required_text("GOTRUE_SMTP_ADMIN_EMAIL")?;
    let Ok(address) = address.parse() else {
        settings.reject("GOTRUE_SMTP_ADMIN_EMAIL", "is not an e-mail address");
        return None;
    };
    Some(Mailbox::new(
        settings.text("GOTRUE_SMTP_SENDER_NAME"),
        address,
    ))
}
