//! The keys tokens are signed with: a JWK set with private parts, of which one signs and all
//! verify. A key that no longer signs stays until the last token of it has ended, so that a
//! rotation signs nobody out.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::EncodePrivateKey as _;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::{BigUint, RsaPrivateKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::jwk::trusted_rsa;
use crate::key_set::VerificationKey;
use crate::signer::Signer;

/// Shorter shared secrets can be guessed offline from one token (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Why keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Not a list of JWKs that all have a `kty` and a `kid`.
    #[error("is not a list of JWKs that all have a kty and a kid")]
    Malformed,
    /// Neither HS256, RS256 nor ES256.
    #[error("key {0} is none of HS256, RS256, ES256")]
    Unsupported(String),
    /// The numbers of the key are no key, or one too short to trust.
    #[error("key {0} is invalid or too short")]
    Invalid(String),
    /// Two keys of one name.
    #[error("key {0} stands twice")]
    Repeated(String),
    /// None, or more than one, that signs.
    #[error("not exactly one key has sign among its key_ops")]
    Signs,
}

/// A key as a JWK (RFC 7517).
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningJwk {
    /// Its kind: `EC`, `RSA`, `oct`.
    pub kty: String,
    /// Its name.
    pub kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default)]
    key_ops: Vec<String>,
    #[serde(flatten)]
    numbers: std::collections::BTreeMap<String, Value>,
}

impl fmt::Debug for SigningJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningJwk")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm_name())
            .field("signs", &self.signs())
            .finish_non_exhaustive()
    }
}

/// The kinds of keys there are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Ec,
    Rsa,
    Shared,
}

impl Kind {
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Ec => Algorithm::ES256,
            Self::Rsa => Algorithm::RS256,
            Self::Shared => Algorithm::HS256,
        }
    }
}

/// The keys of `GOTRUE_JWT_KEYS`.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    keys: Vec<SigningJwk>,
    verification: Vec<VerificationKey>,
    signer: Signer,
}

impl SigningJwk {
    /// Whether tokens are signed with it.
    pub fn signs(&self) -> bool {
        self.key_ops.iter().any(|operation| operation == "sign")
    }

    /// Whether tokens are signed with it from now on.
    pub fn set_signs(&mut self, signs: bool) {
        let operations: &[&str] = if signs {
            &["sign", "verify"]
        } else {
            &["verify"]
        };
        self.key_ops = operations.iter().map(|name| (*name).to_owned()).collect();
    }

    /// The one algorithm it is used with.
    pub fn algorithm_name(&self) -> &str {
        match (self.kty.as_str(), &self.alg) {
            (_, Some(name)) => name,
            ("EC", None) => "ES256",
            ("RSA", None) => "RS256",
            (_, None) => "HS256",
        }
    }

    /// A new P-256 key of this name, from 32 random bytes; none where they are no key, which of
    /// 2³² is one at most.
    pub fn es256(kid: String, secret: &[u8; 32]) -> Option<Self> {
        let key = p256::SecretKey::from_slice(secret).ok()?;
        let point = key.public_key().to_encoded_point(false);
        let coordinate = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
        let numbers = [
            ("crv".to_owned(), json!("P-256")),
            ("x".to_owned(), coordinate(point.x()?)),
            ("y".to_owned(), coordinate(point.y()?)),
            ("d".to_owned(), json!(URL_SAFE_NO_PAD.encode(secret))),
        ];
        Some(Self {
            kty: "EC".to_owned(),
            kid,
            alg: Some("ES256".to_owned()),
            key_ops: vec!["verify".to_owned()],
            numbers: numbers.into(),
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.numbers.get(name)?.as_str()
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD
            .decode(self.text(name)?.trim_end_matches('='))
            .ok()
    }

    fn kind(&self) -> Result<Kind, SigningKeyError> {
        match (self.kty.as_str(), self.algorithm_name(), self.text("crv")) {
            ("EC", "ES256", Some("P-256")) => Ok(Kind::Ec),
            ("RSA", "RS256", _) => Ok(Kind::Rsa),
            ("oct", "HS256", _) => Ok(Kind::Shared),
            _ => Err(SigningKeyError::Unsupported(self.kid.clone())),
        }
    }

    fn verification_key(&self) -> Result<VerificationKey, SigningKeyError> {
        let kind = self.kind()?;
        let key = match kind {
            Kind::Ec => self
                .text("x")
                .zip(self.text("y"))
                .and_then(|(x, y)| DecodingKey::from_ec_components(x, y).ok()),
            Kind::Rsa => self
                .text("n")
                .zip(self.text("e"))
                .and_then(|(modulus, exponent)| trusted_rsa(modulus, exponent)),
            Kind::Shared => self
                .bytes("k")
                .filter(|secret| secret.len() >= MIN_SECRET_BYTES)
                .map(|secret| DecodingKey::from_secret(&secret)),
        };
        let key = key.ok_or_else(|| SigningKeyError::Invalid(self.kid.clone()))?;
        Ok(VerificationKey {
            id: Some(self.kid.clone()),
            algorithm: kind.algorithm(),
            key,
        })
    }

    fn signer(&self) -> Result<Signer, SigningKeyError> {
        let kind = self.kind()?;
        let key = match kind {
            Kind::Ec => self.ec_key(),
            Kind::Rsa => self.rsa_key(),
            Kind::Shared => self
                .bytes("k")
                .map(|secret| EncodingKey::from_secret(&secret)),
        };
        let key = key.ok_or_else(|| SigningKeyError::Invalid(self.kid.clone()))?;
        let id = Some(self.kid.clone());
        Ok(Signer::new(key, kind.algorithm(), id))
    }

    fn ec_key(&self) -> Option<EncodingKey> {
        let secret = p256::SecretKey::from_slice(&self.bytes("d")?).ok()?;
        let document = secret.to_pkcs8_der().ok()?;
        Some(EncodingKey::from_ec_der(document.as_bytes()))
    }

    fn rsa_key(&self) -> Option<EncodingKey> {
        let number = |name| Some(BigUint::from_bytes_be(&self.bytes(name)?));
        let primes = vec![number("p")?, number("q")?];
        let (modulus, exponent, secret) = (number("n")?, number("e")?, number("d")?);
        let key = RsaPrivateKey::from_components(modulus, exponent, secret, primes).ok()?;
        key.validate().ok()?;
        let document = key.to_pkcs1_der().ok()?;
        Some(EncodingKey::from_rsa_der(document.as_bytes()))
    }

    /// The public part, for others to verify with; a shared secret has none.
    fn public(&self) -> Option<Value> {
        let names: &[&str] = match self.kty.as_str() {
            "EC" => &["crv", "x", "y"],
            "RSA" => &["n", "e"],
            _ => return None,
        };
        let mut key = json!({
            "kty": self.kty, "kid": self.kid, "alg": self.algorithm_name(), "use": "sig",
            "key_ops": ["verify"],
        });
        for name in names {
            key[*name] = self.numbers.get(*name)?.clone();
        }
        Some(key)
    }
}

impl SigningKeys {
    /// Reads a list of JWKs, or a set of them. Exactly one has `sign` among its `key_ops`.
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        Self::new(read(text)?)
    }

    /// The keys of which one signs.
    pub fn new(keys: Vec<SigningJwk>) -> Result<Self, SigningKeyError> {
        for (index, key) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|other| other.kid == key.kid) {
                return Err(SigningKeyError::Repeated(key.kid.clone()));
            }
        }
        let verification = keys.iter().map(SigningJwk::verification_key);
        let verification = verification.collect::<Result<_, _>>()?;
        let mut signing = keys.iter().filter(|key| key.signs());
        let (Some(first), None) = (signing.next(), signing.next()) else {
            return Err(SigningKeyError::Signs);
        };
        let signer = first.signer()?;
        Ok(Self {
            keys,
            verification,
            signer,
        })
    }

    /// What signs tokens.
    pub fn signer(&self) -> Signer {
        self.signer.clone()
    }

    /// The keys that tokens are verified with.
    pub(crate) fn verification(&self) -> &[VerificationKey] {
        &self.verification
    }

    /// The public keys as a JWK set, without any shared secret.
    pub fn public_set(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().filter_map(SigningJwk::public).collect();
        json!({ "keys": keys })
    }

    /// The algorithm that tokens are signed with.
    pub fn algorithm_name(&self) -> &str {
        let signing = self.keys.iter().find(|key| key.signs());
        signing.map_or("HS256", SigningJwk::algorithm_name)
    }
}

/// The keys of a list or set, without a look at what they are.
pub fn read(text: &str) -> Result<Vec<SigningJwk>, SigningKeyError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Keys {
        List(Vec<SigningJwk>),
        Set { keys: Vec<SigningJwk> },
    }
    match serde_json::from_str(text) {
        Ok(Keys::List(keys) | Keys::Set { keys }) => Ok(keys),
        Err(_) => Err(SigningKeyError::Malformed),
    }
}
