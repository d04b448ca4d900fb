//! Public keys as a JWK set (RFC 7517): RS256 and ES256, each with a `kid`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use crate::key_set::{KeySet, VerificationKey};

/// The smallest RSA modulus that is trusted: 2048 bits (RFC 7518, section 3.3).
const MIN_MODULUS_BYTES: usize = 256;

/// Why a JWK set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not `{"keys":[…]}`, or a key without `kty` or `kid`.
    #[error("is not a JWK set whose keys all have a kid")]
    Malformed,
    /// Neither an RSA key for RS256 nor a P-256 key for ES256.
    #[error("key {0} is neither RS256 nor ES256 (a shared secret belongs into JWT_SECRET)")]
    Unsupported(String),
    /// The numbers of the key are no key, or one too short to trust.
    #[error("key {0} is invalid, or shorter than 2048 bits")]
    Invalid(String),
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The public keys of a JWK set.
    pub fn from_jwks(text: &str) -> Result<Self, JwkError> {
        let set: JwkSet = serde_json::from_str(text).map_err(|_| JwkError::Malformed)?;
        set.keys.into_iter().map(Jwk::into_key).collect()
    }
}

impl Jwk {
    fn into_key(self) -> Result<VerificationKey, JwkError> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(JwkError::Unsupported(self.kid));
        }
        let (algorithm, key) = match (self.kty.as_str(), self.alg.as_deref(), self.crv.as_deref()) {
            ("RSA", None | Some("RS256"), None) => (Algorithm::RS256, self.rsa()),
            ("EC", None | Some("ES256"), Some("P-256")) => (Algorithm::ES256, self.ec()),
            _ => return Err(JwkError::Unsupported(self.kid)),
        };
        let key = key.ok_or_else(|| JwkError::Invalid(self.kid.clone()))?;
        let id = Some(self.kid);
        Ok(VerificationKey { id, algorithm, key })
    }

    fn rsa(&self) -> Option<DecodingKey> {
        let (modulus, exponent) = self.n.as_deref().zip(self.e.as_deref())?;
        trusted_rsa(modulus, exponent)
    }

    fn ec(&self) -> Option<DecodingKey> {
        let (x, y) = self.x.as_deref().zip(self.y.as_deref())?;
        DecodingKey::from_ec_components(x, y).ok()
    }
}

/// An RSA key that is long enough.
pub(crate) fn trusted_rsa(modulus: &str, exponent: &str) -> Option<DecodingKey> {
    let length = URL_SAFE_NO_PAD.decode(modulus).ok()?.len();
    if length < MIN_MODULUS_BYTES {
        return None;
    }
    DecodingKey::from_rsa_components(modulus, exponent).ok()
}
