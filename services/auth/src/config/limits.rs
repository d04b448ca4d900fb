//! How often callers may do what.

use std::time::Duration;

use common::Settings;

const FIVE_MINUTES: Duration = Duration::from_mins(5);
const HOUR: Duration = Duration::from_hours(1);

/// The burst that GoTrue allows on top of a rate.
const BURST: u32 = 30;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How often in one period; 0 lifts the limit.
    pub count: u32,
    /// The period.
    pub period: Duration,
    /// How often at once.
    pub burst: u32,
}

/// How often callers may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sign-ups of one address.
    pub sign_ups: Limit,
    /// Anonymous sign-ups of one address.
    pub anonymous: Limit,
    /// Sign-ins and refreshes of one address.
    pub tokens: Limit,
    /// Changes of accounts from one address.
    pub user_updates: Limit,
    /// Wrong passwords for one account, whoever tries them.
    pub wrong_passwords: Limit,
    /// Verifications from one address.
    pub verifications: Limit,
    /// Wrong codes for one account, whoever tries them.
    pub wrong_codes: Limit,
    /// Challenges and answers of second factors from one address.
    pub factors: Limit,
    /// Anything about passkeys from one address.
    pub passkeys: Limit,
    /// Requests for codes from one address.
    pub codes: Limit,
    /// Letters that one address makes us send.
    pub letters: Limit,
    /// Text messages that one address makes us send.
    pub texts: Limit,
}

impl Limits {
    /// Reads `GOTRUE_RATE_LIMIT_…`: `SIGN_UP` (150 in 5 minutes), `ANONYMOUS_USERS` (30 an hour),
    /// `TOKEN_REFRESH` (150 in 5 minutes, 30 at once), `USER_UPDATE` (150 in 5 minutes),
    /// `WRONG_PASSWORDS`, `WRONG_CODES`, `VERIFY`, `OTP` and `PASSKEY` (30 in 5 minutes),
    /// `EMAIL_SENT` and `SMS_SENT` (30 an hour).
    pub fn from_settings(settings: &Settings<'_>) -> Self {
        let read = |name: &str, default: u32| {
            settings.parsed_or(&format!("GOTRUE_RATE_LIMIT_{name}"), default)
        };
        let at_once = |count: u32, period: Duration| Limit {
            count,
            period,
            burst: count,
        };
        let tokens = read("TOKEN_REFRESH", 150);
        let factors = settings.parsed_or("GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY", 15);
        Self {
            sign_ups: at_once(read("SIGN_UP", 150), FIVE_MINUTES),
            anonymous: at_once(read("ANONYMOUS_USERS", 30), HOUR),
            tokens: Limit {
                count: tokens,
                period: FIVE_MINUTES,
                burst: BURST.max(tokens / 5),
            },
            user_updates: at_once(read("USER_UPDATE", 150), FIVE_MINUTES),
            wrong_passwords: at_once(read("WRONG_PASSWORDS", 30), FIVE_MINUTES),
            verifications: at_once(read("VERIFY", 30), FIVE_MINUTES),
            wrong_codes: at_once(read("WRONG_CODES", 30), FIVE_MINUTES),
            factors: Limit {
                count: factors,
                period: Duration::from_mins(1),
                burst: BURST.max(factors),
            },
            passkeys: at_once(read("PASSKEY", 30), FIVE_MINUTES),
            codes: at_once(read("OTP", 30), FIVE_MINUTES),
            letters: at_once(read("EMAIL_SENT", 30), HOUR),
            texts: at_once(read("SMS_SENT", 30), HOUR),
        }
    }
}
