//! Id tokens (`OpenID` Connect Core, section 3.1.3.7): whose they are, for whom, and not for long.

use common::Secret;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::{ExternalUser, Provider, ProviderError};
use crate::config::Protocol;
use crate::domain::derived_key::sha256_hex;
use crate::domain::email::EmailAddress;
use crate::domain::metadata::Metadata;

/// The longest token that is looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Seconds that clocks may differ.
const LEEWAY: i64 = 30;

/// The claims that are kept of what a provider says.
const KEPT: [&str; 10] = [
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "picture",
    "locale",
    "zoneinfo",
    "hd",
    "groups",
];

/// What a token must repeat.
#[derive(Debug)]
pub enum IdTokenCheck<'a> {
    /// Exactly this: we asked for it.
    Nonce(&'a str),
    /// The SHA-256 of what an app kept, or what it kept itself; nothing where it kept nothing.
    AppNonce(Option<&'a str>),
    /// Whatever it likes.
    Anything,
}

impl Provider {
    /// What an id token of this provider, made for us, says.
    pub async fn read_id_token(
        &self,
        token: &str,
        check: &IdTokenCheck<'_>,
    ) -> Result<ExternalUser, ProviderError> {
        let refused = ProviderError::IdToken;
        if token.len() > MAX_BYTES {
            return Err(refused("it is too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused("it is no token"))?;
        let algorithm = header.alg;
        if !matches!(algorithm, Algorithm::RS256 | Algorithm::ES256) {
            return Err(refused("its algorithm is neither RS256 nor ES256"));
        }
        let key = self.key(header.kid.as_deref()).await?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| refused("its key cannot be used"))?;
        // The times are checked by our own clock, the rest below.
        let mut rules = Validation::new(algorithm);
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &rules);
        let claims = decoded
            .map_err(|_| refused("its signature is invalid"))?
            .claims;
        self.check_claims(&claims).await?;
        check_nonce(&claims, check)?;
        user(&claims)
    }

    async fn check_claims(&self, claims: &Map<String, Value>) -> Result<(), ProviderError> {
        let refused = ProviderError::IdToken;
        let issuer = text(claims, "iss").unwrap_or_default();
        let said = self.discovery().await?.issuer;
        let tenant = text(claims, "tid").unwrap_or_default();
        let expected = said.replace("{tenantid}", tenant);
        let is_google =
            expected == "https://accounts.google.com" && issuer == "accounts.google.com";
        if (issuer != expected || expected.contains("//v2.0")) && !is_google {
            return Err(refused("it is of another issuer"));
        }
        let is_ours = |audience: &Value| {
            let ids = &self.config.client_ids;
            audience
                .as_str()
                .is_some_and(|audience| ids.iter().any(|id| id == audience))
        };
        let accepted = match claims.get("aud") {
            Some(Value::Array(audiences)) => {
                let party = text(claims, "azp");
                let party_is_ours = party.is_none_or(|party| is_ours(&Value::from(party)));
                audiences.iter().any(is_ours) && (audiences.len() == 1 || party_is_ours)
            }
            Some(audience) => is_ours(audience),
            None => false,
        };
        if !accepted {
            return Err(refused("it is for somebody else"));
        }
        let now = self.now().unix_timestamp();
        let time = |name| claims.get(name).and_then(Value::as_i64);
        if time("exp").is_none_or(|end| end <= now) {
            return Err(refused("it has expired"));
        }
        let starts = time("iat").max(time("nbf"));
        if starts.is_some_and(|starts| starts > now + LEEWAY) {
            return Err(refused("it is not valid yet"));
        }
        Ok(())
    }

    /// Whether it signs id tokens.
    pub fn has_id_tokens(&self) -> bool {
        matches!(self.config.protocol, Protocol::Oidc { .. })
    }
}

fn check_nonce(claims: &Map<String, Value>, check: &IdTokenCheck<'_>) -> Result<(), ProviderError> {
    let carried = text(claims, "nonce");
    let accepted = match (check, carried) {
        (IdTokenCheck::Anything, _) | (IdTokenCheck::AppNonce(None), None) => true,
        (IdTokenCheck::Nonce(expected), Some(carried)) => Secret::from(*expected).matches(carried),
        (IdTokenCheck::AppNonce(Some(kept)), Some(carried)) => {
            Secret::from(sha256_hex(kept)).matches(carried)
        }
        (IdTokenCheck::Nonce(_) | IdTokenCheck::AppNonce(Some(_)), None)
        | (IdTokenCheck::AppNonce(None), Some(_)) => false,
    };
    if accepted {
        Ok(())
    } else {
        Err(ProviderError::IdToken(
            "its nonce is not the one that was asked for",
        ))
    }
}

fn user(claims: &Map<String, Value>) -> Result<ExternalUser, ProviderError> {
    let subject = text(claims, "sub").filter(|subject| !subject.is_empty());
    let subject = subject
        .ok_or(ProviderError::IdToken("it says of nobody"))?
        .to_owned();
    let email = text(claims, "email").and_then(|email| EmailAddress::parse(email).ok());
    let is_true = |name: &str| {
        matches!(claims.get(name), Some(Value::Bool(true)))
            || matches!(text(claims, name), Some("true" | "1"))
            || claims.get(name).and_then(Value::as_i64) == Some(1)
    };
    let email_verified = email.is_some() && (is_true("email_verified") || is_true("xms_edov"));
    let mut kept = Metadata::default();
    for name in KEPT {
        if let Some(value) = claims.get(name) {
            kept.set(name, value.clone());
        }
    }
    if let Some(name) = text(claims, "name") {
        kept.set("full_name", name);
    }
    if let Some(picture) = text(claims, "picture") {
        kept.set("avatar_url", picture);
    }
    if let Some(issuer) = text(claims, "iss") {
        kept.set("iss", issuer);
    }
    Ok(ExternalUser {
        subject,
        email,
        email_verified,
        claims: kept,
    })
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
