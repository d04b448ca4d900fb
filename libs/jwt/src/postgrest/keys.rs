//! The operator's keys: a passphrase, a JWK or a JWK set.

use std::fmt;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Shorter secrets can be guessed offline from one token.
const MIN_SECRET_CHARACTERS: usize = 32;

/// How a secret is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// In base64, of either alphabet.
    Base64,
}

/// A secret that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Shorter than 32 characters.
    #[error("must be at least 32 characters long")]
    Short,
    /// Not what its setting says it is.
    #[error("is not base64")]
    Base64,
    /// A JWK set of which no key can be used.
    #[error(
        "has no key that tokens can be verified with (RSA of 2048 bits, P-256, P-384, Ed25519 or oct)"
    )]
    NoKey,
}

/// The keys that tokens are verified with.
#[derive(Debug, Clone)]
pub struct Keys(Vec<Key>);

/// One key. Its kind decides the algorithms it is used with.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) material: DecodingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JwkText {
    Set { keys: Vec<serde_json::Value> },
    One(Box<Jwk>),
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// The keys that `secret` holds.
    pub fn parse(secret: &str, encoding: Encoding) -> Result<Self, KeysError> {
        if secret.chars().count() < MIN_SECRET_CHARACTERS {
            return Err(KeysError::Short);
        }
        let bytes = match encoding {
            Encoding::Plain => secret.as_bytes().to_vec(),
            Encoding::Base64 => decode_any(secret).ok_or(KeysError::Base64)?,
        };
        let keys: Vec<Key> = match serde_json::from_slice(&bytes) {
            Ok(JwkText::One(jwk)) => jwk.into_key().into_iter().collect(),
            // Keys of a kind this server does not know are somebody else's business.
            Ok(JwkText::Set { keys }) => keys
                .into_iter()
                .filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.into_key())
                .collect(),
            Err(_) => vec![passphrase(&bytes)],
        };
        if keys.is_empty() {
            return Err(KeysError::NoKey);
        }
        Ok(Self(keys))
    }

    /// The keys a token may be signed with: of its `kid`, or all where it has none.
    pub(super) fn candidates<'k>(
        &'k self,
        algorithm: Algorithm,
        id: Option<&'k str>,
    ) -> impl Iterator<Item = &'k DecodingKey> {
        self.0
            .iter()
            .filter(move |key| id.is_none_or(|id| key.id.as_deref() == Some(id)))
            .filter(move |key| key.algorithms.contains(&algorithm))
            .map(|key| &key.material)
    }
}

const HMAC: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

fn passphrase(bytes: &[u8]) -> Key {
    Key {
        id: None,
        algorithms: HMAC.to_vec(),
        material: DecodingKey::from_secret(bytes),
    }
}

impl Jwk {
    /// `None` where it is for encryption, of an unknown kind, or no key at all.
    fn into_key(self) -> Option<Key> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (known, material): (&[Algorithm], _) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => {
                let bytes = decode_any(self.k.as_deref()?)?;
                (&HMAC, DecodingKey::from_secret(&bytes))
            }
            ("RSA", _) => {
                let (n, e) = (self.n.as_deref()?, self.e.as_deref()?);
                let key = crate::jwk::trusted_rsa(n, e)?;
                (&RSA, key)
            }
            ("EC", Some("P-256")) => (&[Algorithm::ES256], self.curve()?),
            ("EC", Some("P-384")) => (&[Algorithm::ES384], self.curve()?),
            ("OKP", Some("Ed25519")) => {
                let key = DecodingKey::from_ed_components(self.x.as_deref()?).ok()?;
                (&[Algorithm::EdDSA], key)
            }
            _ => return None,
        };
        let algorithms = match &self.alg {
            None => known.to_vec(),
            Some(name) => {
                let algorithm = name.parse().ok()?;
                known.contains(&algorithm).then(|| vec![algorithm])?
            }
        };
        Some(Key {
            id: self.kid,
            algorithms,
            material,
        })
    }

    fn curve(&self) -> Option<DecodingKey> {
        DecodingKey::from_ec_components(self.x.as_deref()?, self.y.as_deref()?).ok()
    }
}

/// Base64 of the plain or the URL alphabet, with or without padding; `.` stands for padding.
fn decode_any(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let plain: String = text
        .trim()
        .chars()
        .map(|character| match character {
            '-' => '+',
            '_' => '/',
            '.' => '=',
            other => other,
        })
        .collect();
    GeneralPurpose::new(&base64::alphabet::STANDARD, config)
        .decode(plain)
        .ok()
}
