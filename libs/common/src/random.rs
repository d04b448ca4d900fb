//! Randomness as a parameter, and the shapes secrets are drawn in.

use rand::TryRng as _;
use rand::rngs::SysRng;
use time::OffsetDateTime;
use uuid::Uuid;

/// A source of unpredictable bytes.
pub trait Randomness: Send + Sync {
    /// Fills `buffer`.
    fn fill(&self, buffer: &mut [u8]);

    /// A random (version 4) UUID.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A UUID of the moment `at` (version 7, RFC 9562): later ones sort behind earlier ones, to the
    /// millisecond, and 74 bits of it cannot be predicted.
    fn uuid_at(&self, at: OffsetDateTime) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = at.unix_timestamp_nanos() / 1_000_000;
        let millis = u64::try_from(millis).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(
        clippy::expect_used,
        reason = "without randomness no secret may be made: stop here"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        SysRng
            .try_fill_bytes(buffer)
            .expect("the operating system has no randomness to give");
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `length` random characters of the URL-safe base64 alphabet, six bits each.
pub fn token(randomness: &dyn Randomness, length: usize) -> String {
    let mut bytes = vec![0; length];
    randomness.fill(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 63)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_moment_tell_it_and_differ() {
        let at = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a moment");
        let first = SystemRandomness.uuid_at(at);
        let told = first.get_timestamp().expect("a time").to_unix();
        assert_eq!((first.get_version_num(), told), (7, (1_800_000_000, 0)));
        assert_ne!(first, SystemRandomness.uuid_at(at));
        let later = SystemRandomness.uuid_at(at + time::Duration::milliseconds(1));
        assert!(later > first);
    }

    #[test]
    fn tokens_have_the_length_asked_for_and_differ() {
        let first = token(&SystemRandomness, 43);
        assert_eq!(first.len(), 43);
        assert_ne!(first, token(&SystemRandomness, 43));
    }
}
