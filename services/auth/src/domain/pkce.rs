//! Proof Key for Code Exchange (RFC 7636): who began a sign-in shows it when they come back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::Secret;
use sha2::{Digest as _, Sha256};

/// How a challenge is made of its verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeMethod {
    /// By SHA-256.
    S256,
    /// Not at all.
    Plain,
}

/// What a client shows when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge {
    /// How it was made.
    pub method: ChallengeMethod,
    /// The challenge.
    pub challenge: String,
}

/// Why a challenge cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// One of both is missing.
    #[error("PKCE flow requires code_challenge_method and code_challenge")]
    Incomplete,
    /// Neither `s256` nor `plain`.
    #[error("Invalid code challenge method, must be one of plain or s256")]
    Method,
    /// Too short, too long, or of characters that no challenge has.
    #[error("code challenge has to be between 43 and 128 characters of A-Z a-z 0-9 - . _ ~")]
    Form,
}

impl ChallengeMethod {
    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S256 => "s256",
            Self::Plain => "plain",
        }
    }

    /// The method of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "s256" => Some(Self::S256),
            "plain" => Some(Self::Plain),
            _ => None,
        }
    }
}

impl CodeChallenge {
    /// The challenge of a request; none where it has neither part.
    pub fn read(
        method: Option<&str>,
        challenge: Option<&str>,
    ) -> Result<Option<Self>, ChallengeError> {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let (method, challenge) = match (given(method), given(challenge)) {
            (None, None) => return Ok(None),
            (Some(method), Some(challenge)) => (method, challenge),
            (Some(_), None) | (None, Some(_)) => return Err(ChallengeError::Incomplete),
        };
        let method = ChallengeMethod::from_name(&method).ok_or(ChallengeError::Method)?;
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&challenge.len()) || !challenge.bytes().all(is_unreserved) {
            return Err(ChallengeError::Form);
        }
        Ok(Some(Self { method, challenge }))
    }

    /// Whether `verifier` is what the challenge was made of.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let challenge = Secret::from(self.challenge.clone());
        match self.method {
            ChallengeMethod::Plain => challenge.matches(verifier),
            ChallengeMethod::S256 => {
                challenge.matches(&URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_challenge_of_the_specification_is_met() {
        let read = CodeChallenge::read(Some("S256"), Some(CHALLENGE)).expect("valid");
        let challenge = read.expect("given");
        assert!(challenge.is_met_by(VERIFIER));
        assert!(!challenge.is_met_by(CHALLENGE));
        let plain = CodeChallenge::read(Some("plain"), Some(VERIFIER)).expect("valid");
        assert!(plain.expect("given").is_met_by(VERIFIER));
    }

    #[test]
    fn challenges_that_are_none_are_refused() {
        assert_eq!(CodeChallenge::read(None, Some("")), Ok(None));
        let cases = [
            (Some("s256"), None, ChallengeError::Incomplete),
            (None, Some(CHALLENGE), ChallengeError::Incomplete),
            (Some("md5"), Some(CHALLENGE), ChallengeError::Method),
            (Some("s256"), Some("short"), ChallengeError::Form),
            (
                Some("s256"),
                Some("a b\n45678901234567890123456789012345678901234"),
                ChallengeError::Form,
            ),
        ];
        for (method, challenge, expected) in cases {
            assert_eq!(CodeChallenge::read(method, challenge), Err(expected));
        }
    }
}
