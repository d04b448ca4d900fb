//! The key pair of the S3 protocol that acts as the service.

use common::{Secret, Settings};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The least a chosen secret has, in characters.
const MIN_SECRET: usize = 32;

/// The key pair of the S3 protocol that acts as the service.
#[derive(Debug, Clone)]
pub struct S3Keys {
    /// Names the pair.
    pub access_key_id: String,
    /// Signs requests.
    pub secret_access_key: Secret,
    /// Signs requests that bring a session token: the anon key, as with Supabase.
    pub session_secret: Secret,
}

impl S3Keys {
    /// The pair that is set, else one that derives from the platform's secret.
    pub fn from_settings(settings: &Settings<'_>, platform: Option<&Secret>) -> Option<Self> {
        let session_secret = settings.secret("ANON_KEY", MIN_SECRET);
        let chosen = settings.text("S3_PROTOCOL_ACCESS_KEY_ID");
        if let Some(access_key_id) = chosen {
            let secret = settings.secret("S3_PROTOCOL_ACCESS_KEY_SECRET", MIN_SECRET);
            return Some(Self {
                access_key_id,
                secret_access_key: secret?,
                session_secret: session_secret?,
            });
        }
        let platform = platform?;
        let id: String = derived(platform, b"selfdb/storage/s3/access-key-id/1")
            .chars()
            .take(32)
            .collect();
        let secret = derived(platform, b"selfdb/storage/s3/secret-access-key/1");
        Some(Self {
            access_key_id: id,
            secret_access_key: Secret::from(secret.as_str()),
            session_secret: session_secret?,
        })
    }
}

fn derived(platform: &Secret, purpose: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(platform.expose().as_bytes()) else {
        return String::new();
    };
    let bytes = mac.chain_update(purpose).finalize().into_bytes();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(digit).collect()
}
