//! From a token's text to who is asking, or a refusal.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::Clock;
use serde_json::{Map, Value};

use crate::cache::{TokenCache, TokenDigest};
use crate::claims;
use crate::error::TokenError;
use crate::header::Header;
use crate::identity::Identity;
use crate::json;
use crate::key_set::KeySet;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What claims must say, beyond what every token must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// What `aud`, where present, must be or contain.
    pub audience: String,
    /// What `iss`, where present, must be one of.
    pub issuers: Vec<String>,
}

/// Verifies tokens; remembers the good ones until they end.
pub struct Verifier {
    keys: KeySet,
    rules: TokenRules,
    clock: Arc<dyn Clock>,
    cache: TokenCache,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.keys)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that trusts `keys` and tells the time by `clock`.
    pub fn new(keys: KeySet, rules: TokenRules, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys,
            rules,
            clock,
            cache: TokenCache::new(),
        }
    }

    /// Who bears `token`. Every refusal is the client's (401); nothing here can fail by our fault.
    pub fn verify(&self, token: &str) -> Result<Arc<Identity>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let now = self.clock.unix_seconds();
        let digest = TokenDigest::of(token);
        if let Some(identity) = self.cache.find(digest, now) {
            return Ok(identity);
        }
        let identity = Arc::new(self.read(token, now)?);
        self.cache.insert(digest, Arc::clone(&identity));
        Ok(identity)
    }

    fn read(&self, token: &str, now: i64) -> Result<Identity, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        self.check_signature(header, message, signature)?;
        let text = decode(payload)?;
        let claims = object(&text)?;
        let checked = claims::check(&claims, &self.rules, now)?;
        Ok(Identity {
            role: checked.role,
            subject: checked.subject,
            claims,
            claims_json: text.into(),
            expires_at: Some(checked.expires_at),
        })
    }

    fn check_signature(
        &self,
        header: &str,
        message: &str,
        signature: &str,
    ) -> Result<(), TokenError> {
        let members = object(&decode(header)?)?;
        let header = Header::read(&members)?;
        let key = self
            .keys
            .select(header.algorithm, header.key_id)
            .ok_or(TokenError::UnknownKey)?;
        let verified =
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, header.algorithm);
        match verified {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenError::Signature),
        }
    }
}

fn decode(part: &str) -> Result<String, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed)?;
    String::from_utf8(bytes).map_err(|_| TokenError::Malformed)
}

fn object(text: &str) -> Result<Map<String, Value>, TokenError> {
    json::parse_object(text).map_err(|_| TokenError::Malformed)
}
