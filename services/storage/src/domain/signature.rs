//! Signed URLs: a token that lets whoever holds it do one thing with one object until it expires.
//!
//! A token is a compact JSON Web Signature (HS256) under a key of storage's own, derived from the
//! platform's secret: no session token is a signed URL, and no signed URL is a session token. The
//! header is one constant text, so there is no algorithm to choose.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Clock, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::key::{BucketId, ObjectKey};
use super::object::ObjectId;

/// Binds the derived key to its purpose; a new purpose or format needs a new text.
const PURPOSE: &[u8] = b"selfdb/storage/signed-url/1";
/// `{"typ":"JWT","alg":"HS256"}`, encoded.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// What a signed URL is for. Each variant is told apart by the claim `scope`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "lowercase")]
pub enum Grant {
    /// To read the object.
    Download,
    /// To read the image that is rendered of the object.
    Render {
        /// How: a transformation as it is spelled.
        transformations: String,
    },
    /// To write the object.
    Upload(UploadGrant),
}

/// What an upload by signed URL may do and becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadGrant {
    /// Whether it may replace an object of that name.
    #[serde(default)]
    pub upsert: bool,
    /// Whose the object is: the subject of who asked for the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The id that was promised for the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    /// The file's name as its owner wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    url: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    grant: Grant,
}

/// Why a signed URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a token that storage made: another key, form or content.
    #[error("Invalid signature")]
    Forged,
    /// A token for another object, or for something else than this.
    #[error("The signature is not for this request")]
    Mismatch,
    /// Past its end.
    #[error("The provided token has expired.")]
    Expired,
}

/// Makes and checks the tokens of signed URLs.
#[derive(Clone)]
pub struct UrlSigner {
    mac: Hmac<Sha256>,
    clock: Arc<dyn Clock>,
}

impl UrlSigner {
    /// A signer whose key derives from the platform's `secret`.
    pub fn new(secret: &Secret, clock: Arc<dyn Clock>) -> Self {
        let key = keyed(secret.expose().as_bytes())
            .chain_update(PURPOSE)
            .finalize()
            .into_bytes();
        Self {
            mac: keyed(&key),
            clock,
        }
    }

    /// A token for `grant` on one object, good for `lifetime_s` seconds from now.
    pub fn sign(
        &self,
        bucket: &BucketId,
        key: &ObjectKey,
        grant: Grant,
        lifetime_s: u32,
    ) -> String {
        let iat = self.clock.unix_seconds();
        let claims = Claims {
            url: resource(bucket, key),
            iat,
            exp: iat.saturating_add(i64::from(lifetime_s)),
            grant,
        };
        // Strings, numbers and one level of names: nothing in it can fail to be JSON.
        let payload = serde_json::to_vec(&claims).unwrap_or_default();
        let message = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = self.mac.clone().chain_update(&message).finalize();
        let signature = URL_SAFE_NO_PAD.encode(signature.into_bytes());
        format!("{message}.{signature}")
    }

    /// When a token for reading this object ends, in seconds since 1970.
    pub fn verify_download(
        &self,
        token: &str,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<i64, SignatureError> {
        let claims = self.verify(token, bucket, key)?;
        match claims.grant {
            Grant::Download => Ok(claims.exp),
            Grant::Render { .. } | Grant::Upload(_) => Err(SignatureError::Mismatch),
        }
    }

    /// How this object is rendered by a token, and when that ends, in seconds since 1970.
    pub fn verify_rendition(
        &self,
        token: &str,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<(String, i64), SignatureError> {
        let claims = self.verify(token, bucket, key)?;
        match claims.grant {
            Grant::Render { transformations } => Ok((transformations, claims.exp)),
            Grant::Download | Grant::Upload(_) => Err(SignatureError::Mismatch),
        }
    }

    /// What a token for writing this object grants.
    pub fn verify_upload(
        &self,
        token: &str,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<UploadGrant, SignatureError> {
        match self.verify(token, bucket, key)?.grant {
            Grant::Upload(grant) => Ok(grant),
            Grant::Download | Grant::Render { .. } => Err(SignatureError::Mismatch),
        }
    }

    fn verify(
        &self,
        token: &str,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Claims, SignatureError> {
        let (message, signature) = token.rsplit_once('.').ok_or(SignatureError::Forged)?;
        let signature = decode(signature)?;
        let mac = self.mac.clone().chain_update(message);
        mac.verify_slice(&signature)
            .map_err(|_| SignatureError::Forged)?;
        let (header, payload) = message.split_once('.').ok_or(SignatureError::Forged)?;
        let claims = serde_json::from_slice::<Claims>(&decode(payload)?);
        let claims = claims.map_err(|_| SignatureError::Forged)?;
        if header != HEADER {
            return Err(SignatureError::Forged);
        }
        if claims.url != resource(bucket, key) {
            return Err(SignatureError::Mismatch);
        }
        if claims.exp <= self.clock.unix_seconds() {
            return Err(SignatureError::Expired);
        }
        Ok(claims)
    }
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length; the error type is of MACs that do not"
)]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key")
}

fn resource(bucket: &BucketId, key: &ObjectKey) -> String {
    format!("{bucket}/{key}")
}

fn decode(part: &str) -> Result<Vec<u8>, SignatureError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| SignatureError::Forged)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::FixedClock;
    use time::OffsetDateTime;

    use super::*;

    struct Fixture {
        signer: UrlSigner,
        clock: Arc<FixedClock>,
        bucket: BucketId,
        key: ObjectKey,
    }

    fn fixture() -> Fixture {
        let clock = Arc::new(FixedClock::at(OffsetDateTime::UNIX_EPOCH));
        let secret = Secret::from("a secret of at least thirty-two bytes");
        Fixture {
            signer: UrlSigner::new(&secret, Arc::<FixedClock>::clone(&clock) as Arc<dyn Clock>),
            clock,
            bucket: BucketId::parse("photos").expect("name"),
            key: ObjectKey::parse("a/b.png").expect("key"),
        }
    }

    fn upload() -> Grant {
        Grant::Upload(UploadGrant {
            upsert: true,
            owner: Some("u1".to_owned()),
            ..UploadGrant::default()
        })
    }

    #[test]
    fn a_token_opens_what_it_was_made_for() {
        let f = fixture();
        let token = f.signer.sign(&f.bucket, &f.key, Grant::Download, 60);
        assert_eq!(f.signer.verify_download(&token, &f.bucket, &f.key), Ok(60));
        let token = f.signer.sign(&f.bucket, &f.key, upload(), 60);
        let granted = f.signer.verify_upload(&token, &f.bucket, &f.key);
        assert_eq!(granted.map(Grant::Upload), Ok(upload()));
    }

    #[test]
    fn scopes_never_interchange() {
        let f = fixture();
        let download = f.signer.sign(&f.bucket, &f.key, Grant::Download, 60);
        let granted = f.signer.verify_upload(&download, &f.bucket, &f.key);
        assert_eq!(granted, Err(SignatureError::Mismatch));
        let upload = f.signer.sign(&f.bucket, &f.key, upload(), 60);
        let ends = f.signer.verify_download(&upload, &f.bucket, &f.key);
        assert_eq!(ends, Err(SignatureError::Mismatch));
    }

    #[test]
    fn another_object_bucket_or_time_is_refused() {
        let f = fixture();
        let token = f.signer.sign(&f.bucket, &f.key, Grant::Download, 60);
        let verify = |bucket: &str, key: &str| {
            let bucket = BucketId::parse(bucket).expect("name");
            let key = ObjectKey::parse(key).expect("key");
            f.signer.verify_download(&token, &bucket, &key)
        };
        assert_eq!(verify("photos", "a/c.png"), Err(SignatureError::Mismatch));
        assert_eq!(verify("other", "a/b.png"), Err(SignatureError::Mismatch));
        f.clock.advance(Duration::from_mins(1));
        assert_eq!(verify("photos", "a/b.png"), Err(SignatureError::Expired));
    }

    #[test]
    fn what_storage_did_not_sign_is_refused() {
        let f = fixture();
        let token = f.signer.sign(&f.bucket, &f.key, Grant::Download, 60);
        let other = UrlSigner::new(
            &Secret::from("another secret of thirty-two bytes!!"),
            Arc::<FixedClock>::clone(&f.clock) as Arc<dyn Clock>,
        );
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let (_, payload) = message.split_once('.').expect("three parts");
        let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none"}"#);
        let forged = [
            String::new(),
            "a.b.c".to_owned(),
            message.to_owned(),
            format!("{message}."),
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            format!("{token}x"),
            other.sign(&f.bucket, &f.key, Grant::Download, 60),
        ];
        for token in forged {
            let refused = f.signer.verify_download(&token, &f.bucket, &f.key);
            assert_eq!(refused, Err(SignatureError::Forged), "{token}");
        }
    }

    #[test]
    fn the_header_is_what_it_says() {
        let json = URL_SAFE_NO_PAD.decode(HEADER).expect("base64");
        assert_eq!(json, br#"{"typ":"JWT","alg":"HS256"}"#);
    }
}
