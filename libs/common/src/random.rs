//! Randomness as a parameter, and the shapes secrets are drawn in.

use rand::TryRng as _;
use rand::rngs::SysRng;
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
    fn tokens_have_the_length_asked_for_and_differ() {
        let first = token(&SystemRandomness, 43);
        assert_eq!(first.len(), 43);
        assert_ne!(first, token(&SystemRandomness, 43));
    }
}
