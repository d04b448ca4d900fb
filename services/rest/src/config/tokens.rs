//! Which tokens are believed.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use common::{Clock, Settings};
use jwt::JwtConfig;
use jwt::postgrest::{Encoding, Keys, RolePath, Rules, Verifier};
use pg::RoleRules;

use crate::access::Authority;

const SECRET: &str = "PGRST_JWT_SECRET";
const CACHE_ENTRIES: usize = 1000;

/// Which tokens are believed.
#[derive(Debug, Clone)]
pub(crate) enum TokenSettings {
    /// The platform's.
    Platform(Box<JwtConfig>),
    /// Those of an operator's own keys.
    Operator(Box<Rules>, Keys),
    /// None: there is no key yet.
    None,
}

impl TokenSettings {
    pub(super) fn read(
        settings: &Settings<'_>,
        rules: RoleRules,
        anon_role: Option<&str>,
    ) -> Option<Self> {
        match rules {
            RoleRules::Platform => {
                let config = JwtConfig::from_settings(settings)?;
                Some(Self::Platform(Box::new(config)))
            }
            RoleRules::Operator => {
                let rules = token_rules(settings, anon_role);
                let Some(secret) = settings.text(SECRET) else {
                    return Some(Self::None);
                };
                let is_base64 = settings.flag("PGRST_JWT_SECRET_IS_BASE64", false);
                let encoding = if is_base64 {
                    Encoding::Base64
                } else {
                    Encoding::Plain
                };
                let keys = Keys::parse(&secret, encoding)
                    .map_err(|error| settings.reject(SECRET, error.to_string()))
                    .ok()?;
                Some(Self::Operator(Box::new(rules), keys))
            }
        }
    }

    /// What checks tokens, by the time `clock` tells.
    pub(crate) fn authority(&self, clock: Arc<dyn Clock>) -> Authority {
        match self {
            Self::Platform(config) => Authority::Platform(config.verifier(clock)),
            Self::Operator(rules, keys) => {
                Authority::Operator(Verifier::new(keys.clone(), (**rules).clone(), clock))
            }
            Self::None => Authority::None,
        }
    }
}

fn token_rules(settings: &Settings<'_>, anon_role: Option<&str>) -> Rules {
    let entries = settings.parsed_or("PGRST_JWT_CACHE_MAX_ENTRIES", CACHE_ENTRIES);
    let lifetime: Option<u64> = settings.parsed("PGRST_JWT_CACHE_MAX_LIFETIME");
    Rules {
        audience: settings.text("PGRST_JWT_AUD"),
        role: settings.parsed_or("PGRST_JWT_ROLE_CLAIM_KEY", RolePath::default()),
        default_role: anon_role.map(str::to_owned),
        cache_entries: NonZeroUsize::new(entries),
        cache_lifetime: lifetime
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
    }
}
