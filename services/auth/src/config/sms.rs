//! How text messages are written and sent.

use std::collections::HashMap;
use std::time::Duration;

use common::{Secret, Settings};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use super::mail::{code_digits, pause};

/// How text messages are written and sent.
#[derive(Debug, Clone)]
pub struct SmsConfig {
    /// Who sends them; none where nobody does.
    pub twilio: Option<TwilioConfig>,
    /// What they say, with `{{ .Code }}` in it.
    pub template: String,
}

/// An account at Twilio, or at what speaks as it does.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// Where it is.
    pub url: Url,
    /// Its name.
    pub account: String,
    /// Its password.
    pub token: Secret,
    /// Who writes: a messaging service, or a number.
    pub sender: String,
}

/// What is true of codes in text messages.
#[derive(Debug, Clone)]
pub struct SmsRules {
    /// How many digits a code has.
    pub code_digits: usize,
    /// How long a code is good.
    pub code_lifetime: Duration,
    /// How long between two messages to one user.
    pub pause: Duration,
    /// The codes of numbers that no message is sent to.
    pub test_codes: HashMap<String, Secret>,
    /// Until when those are good; for ever where it is not set.
    pub test_codes_until: Option<OffsetDateTime>,
}

impl SmsConfig {
    /// Reads `GOTRUE_SMS_TEMPLATE` and `GOTRUE_SMS_TWILIO_…`.
    pub fn from_settings(settings: &Settings<'_>) -> Self {
        let template = settings.text_or("GOTRUE_SMS_TEMPLATE", "Your code is {{ .Code }}");
        let provider = settings.text("GOTRUE_SMS_PROVIDER");
        let twilio = match provider.as_deref() {
            None => None,
            Some("twilio") => read_twilio(settings),
            Some(_) => {
                let problem = "must be twilio; for others, use the hook send_sms";
                settings.reject("GOTRUE_SMS_PROVIDER", problem);
                None
            }
        };
        Self { twilio, template }
    }
}

fn read_twilio(settings: &Settings<'_>) -> Option<TwilioConfig> {
    let url = settings.text_or("GOTRUE_SMS_TWILIO_URL", "https://api.twilio.com");
    let url = url.parse().map_err(|_| {
        settings.reject("GOTRUE_SMS_TWILIO_URL", "is not an absolute URL");
    });
    let account = settings.required_text("GOTRUE_SMS_TWILIO_ACCOUNT_SID");
    let token = settings.secret("GOTRUE_SMS_TWILIO_AUTH_TOKEN", 1);
    let sender = settings.required_text("GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID");
    Some(TwilioConfig {
        url: url.ok()?,
        account: account?,
        token: token?,
        sender: sender?,
    })
}

impl SmsRules {
    /// Reads what `GOTRUE_SMS_…` says of codes.
    pub fn from_settings(settings: &Settings<'_>) -> Self {
        Self {
            code_digits: code_digits(settings, "GOTRUE_SMS_OTP_LENGTH"),
            code_lifetime: settings.seconds("GOTRUE_SMS_OTP_EXP", Duration::from_mins(1)),
            pause: pause(settings, "GOTRUE_SMS_MAX_FREQUENCY"),
            test_codes: test_codes(settings),
            test_codes_until: test_codes_until(settings),
        }
    }

    /// The code of a number that no message is sent to.
    pub fn test_code(&self, number: &str, now: OffsetDateTime) -> Option<&Secret> {
        let over = self.test_codes_until.is_some_and(|until| now >= until);
        self.test_codes.get(number).filter(|_| !over)
    }
}

/// `4152127777=123456,…` or, as GoTrue also writes it, `4152127777:123456,…`.
fn test_codes(settings: &Settings<'_>) -> HashMap<String, Secret> {
    let mut codes = HashMap::new();
    for pair in settings.list("GOTRUE_SMS_TEST_OTP") {
        match pair.split_once(['=', ':']) {
            Some((number, code)) if !code.is_empty() => {
                let number = number.trim().trim_start_matches('+').to_owned();
                codes.insert(number, Secret::from(code.trim()));
            }
            Some(_) | None => {
                settings.reject("GOTRUE_SMS_TEST_OTP", "is not a list of number=code");
            }
        }
    }
    codes
}

fn test_codes_until(settings: &Settings<'_>) -> Option<OffsetDateTime> {
    let text = settings.text("GOTRUE_SMS_TEST_OTP_VALID_UNTIL")?;
    let until = OffsetDateTime::parse(&text, &Rfc3339);
    until
        .map_err(|_| settings.reject("GOTRUE_SMS_TEST_OTP_VALID_UNTIL", "is no RFC 3339 time"))
        .ok()
}
