//! What the gateway is told by its environment.

mod proxies;

pub(crate) use proxies::TrustedProxies;

use std::str::FromStr;
use std::time::Duration;

use common::Settings;
use http::{HeaderValue, Uri};
use jwt::{ApiKeys, JwtConfig};

use crate::layers::cors::Origins;
use crate::routes::ServiceName;

/// The gateway's configuration.
#[derive(Debug)]
pub struct Config {
    pub(crate) jwt: JwtConfig,
    pub(crate) api_keys: ApiKeys,
    pub(crate) key_mode: KeyMode,
    pub(crate) origins: Origins,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) limits: Limits,
    pub(crate) access_log: AccessLog,
    pub(crate) upstreams: [Uri; 5],
}

/// What a missing API key means where one is needed. An invalid one is refused in either mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyMode {
    /// 401.
    Strict,
    /// Whoever has no key is `anon`, as with Supabase's own command line.
    Permissive,
}

impl FromStr for KeyMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "strict" => Ok(Self::Strict),
            "permissive" => Ok(Self::Permissive),
            _ => Err("use strict or permissive"),
        }
    }
}

/// At which level each request is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLog {
    Debug,
    Info,
}

/// What one request, and all requests of one service, may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a body; storage has limits of its own.
    pub(crate) body_bytes: u64,
    /// Requests of one service that are being answered at one time.
    pub(crate) in_flight: usize,
    /// How long a body may pause.
    pub(crate) body_pause: Duration,
    /// How long a service may take from the last byte of a request to the head of its answer.
    pub(crate) answer: Duration,
    /// The same for storage, which makes a whole upload durable in that time.
    pub(crate) storage_answer: Duration,
    /// The same for functions, whose own limit (150) comes first: it also stops the code.
    pub(crate) function_answer: Duration,
}

impl Config {
    /// Reads, besides what `libs/jwt` reads: `KEY_MODE` (`strict` or `permissive`),
    /// `CORS_ALLOWED_ORIGINS` (a list; any origin where it is not set), `TRUSTED_PROXIES` (a list of
    /// addresses and networks), `MAX_BODY_BYTES` (10 MiB), `MAX_IN_FLIGHT` (1024 for each service),
    /// `BODY_PAUSE_SECONDS` (30), `UPSTREAM_TIMEOUT_SECONDS` (60),
    /// `STORAGE_UPSTREAM_TIMEOUT_SECONDS` (300), `FUNCTIONS_UPSTREAM_TIMEOUT_SECONDS` (155),
    /// `ACCESS_LOG`, and where the services are when they run elsewhere: `AUTH_URL`, `REST_URL`,
    /// `REALTIME_URL`, `STORAGE_URL`, `FUNCTIONS_URL`.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let jwt = JwtConfig::from_settings(settings);
        let api_keys = ApiKeys::from_settings(settings);
        let key_mode = settings.parsed_or("KEY_MODE", KeyMode::Strict);
        let origins = origins(settings);
        let trusted_proxies = TrustedProxies::from_settings(settings);
        let limits = limits(settings);
        let upstreams = ServiceName::ALL.map(|service| upstream(settings, service));
        let access_log = if settings.flag("ACCESS_LOG", false) {
            AccessLog::Info
        } else {
            AccessLog::Debug
        };
        Some(Self {
            jwt: jwt?,
            api_keys: api_keys?,
            key_mode,
            origins,
            trusted_proxies,
            limits,
            access_log,
            upstreams,
        })
    }
}

fn limits(settings: &Settings<'_>) -> Limits {
    let seconds = |name: &str, default| settings.seconds(name, Duration::from_secs(default));
    let in_flight = settings.parsed_or("MAX_IN_FLIGHT", 1024);
    if in_flight == 0 {
        settings.reject("MAX_IN_FLIGHT", "must be at least 1");
    }
    Limits {
        body_bytes: settings.parsed_or("MAX_BODY_BYTES", 10 * 1024 * 1024),
        in_flight,
        body_pause: seconds("BODY_PAUSE_SECONDS", 30),
        answer: seconds("UPSTREAM_TIMEOUT_SECONDS", 60),
        storage_answer: seconds("STORAGE_UPSTREAM_TIMEOUT_SECONDS", 300),
        function_answer: seconds("FUNCTIONS_UPSTREAM_TIMEOUT_SECONDS", 155),
    }
}

fn origins(settings: &Settings<'_>) -> Origins {
    let listed = settings.list("CORS_ALLOWED_ORIGINS");
    if listed.is_empty() || listed == ["*"] {
        return Origins::Any;
    }
    let is_origin = |text: &String| {
        let rest = text.split_once("://").map(|(_, rest)| rest);
        rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '?', '#']))
    };
    if !listed.iter().all(is_origin) {
        let problem = "must list origins such as https://app.example.org, without a path or *";
        settings.reject("CORS_ALLOWED_ORIGINS", problem);
    }
    let listed = listed
        .iter()
        .filter_map(|text| HeaderValue::from_str(text).ok());
    Origins::Listed(listed.collect())
}

fn upstream(settings: &Settings<'_>, service: ServiceName) -> Uri {
    let (name, default) = match service {
        ServiceName::Auth => ("AUTH_URL", "http://127.0.0.1:9999"),
        ServiceName::Rest => ("REST_URL", "http://127.0.0.1:3001"),
        ServiceName::Realtime => ("REALTIME_URL", "http://127.0.0.1:4000"),
        ServiceName::Storage => ("STORAGE_URL", "http://127.0.0.1:5000"),
        ServiceName::Functions => ("FUNCTIONS_URL", "http://127.0.0.1:8090"),
    };
    let url: Uri = settings.parsed_or(name, Uri::from_static(default));
    let is_plain = url.scheme_str() == Some("http") && url.host().is_some();
    if !is_plain || url.path() != "/" || url.query().is_some() {
        settings.reject(name, "must be of the form http://host:port");
    }
    url
}

#[cfg(test)]
mod tests {
    use common::EnvironmentMap;

    use super::*;

    fn errors(entries: &[(&str, &str)]) -> Vec<String> {
        let environment: EnvironmentMap = entries.iter().copied().collect();
        let settings = Settings::new(&environment);
        let config = Config::from_settings(&settings).map(|_| ());
        let errors = settings.finish(config).expect_err("keys are missing");
        errors.0.into_iter().map(|error| error.name).collect()
    }

    #[test]
    fn every_mistake_is_named() {
        let named = errors(&[
            ("KEY_MODE", "lax"),
            ("CORS_ALLOWED_ORIGINS", "https://a.example,*"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("MAX_BODY_BYTES", "10MB"),
            ("MAX_IN_FLIGHT", "0"),
            ("AUTH_URL", "https://auth:9999"),
            ("REST_URL", "http://rest:3001/path"),
            ("STORAGE_URL", "storage:5000"),
            ("ACCESS_LOG", "loud"),
        ]);
        for name in [
            "JWT_SECRET",
            "ANON_KEY",
            "SERVICE_ROLE_KEY",
            "KEY_MODE",
            "CORS_ALLOWED_ORIGINS",
            "TRUSTED_PROXIES",
            "MAX_BODY_BYTES",
            "MAX_IN_FLIGHT",
            "AUTH_URL",
            "REST_URL",
            "STORAGE_URL",
            "ACCESS_LOG",
        ] {
            assert!(named.iter().any(|error| error == name), "{name}: {named:?}");
        }
        assert_eq!(errors(&[]), ["JWT_SECRET", "ANON_KEY", "SERVICE_ROLE_KEY"]);
    }
}
