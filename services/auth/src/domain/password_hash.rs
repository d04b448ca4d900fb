//! Hashing and checking one password: pure computation, tens of milliseconds of one core.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use common::Randomness;

/// 46 MiB, one pass, one lane: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 46 * 1024;
const PASSES: u32 = 1;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// An imported hash that costs more than this is refused: checking it would be an attack.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_BCRYPT_COST: u32 = 14;

/// A hash of random bytes, which no password has. Checking it takes as long as checking one of ours.
pub const DECOY: &str = "$argon2id$v=19$m=47104,t=1,p=1$sl1J+q9DKUqq6nfc/2yDNw$em8p92Hvx\
    4zjhOGRKumB/gE+bEYOr8CeeVw+jsPmzjI";

/// What checking a password against a stored hash found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the password, or there is none.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, under a hash other than those made here: store a new one.
    RightButOutdated,
}

/// A password that could not be hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(String);

/// Hashes `password` with argon2id and a random salt; a PHC string.
pub fn hash(password: &str, randomness: &dyn Randomness) -> Result<String, HashError> {
    let mut salt = [0; SALT_BYTES];
    randomness.fill(&mut salt);
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| HashError(error.to_string()))?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| HashError(error.to_string()))?;
    Ok(hash.to_string())
}

/// Checks `password` against a stored hash: argon2 (PHC string) or bcrypt (as of `crypt()`).
pub fn verify(password: &str, stored: &str) -> Verdict {
    if stored.starts_with("$argon2") {
        verify_argon2(password, stored)
    } else if stored.starts_with("$2") {
        verify_bcrypt(password, stored)
    } else {
        Verdict::Wrong
    }
}

/// Whether `stored` is a hash that [`verify`] can check.
pub fn is_supported(stored: &str) -> bool {
    parse_argon2(stored).is_some() || bcrypt_cost(stored).is_some()
}

fn verify_argon2(password: &str, stored: &str) -> Verdict {
    let Some((hash, params)) = parse_argon2(stored) else {
        return Verdict::Wrong;
    };
    let matches = Argon2::default().verify_password(password.as_bytes(), &hash);
    let current = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES);
    match matches {
        Err(_) => Verdict::Wrong,
        Ok(()) if current => Verdict::Right,
        Ok(()) => Verdict::RightButOutdated,
    }
}

/// An argon2 hash that is complete and affordable to check.
fn parse_argon2(stored: &str) -> Option<(PasswordHash, Params)> {
    let hash = PasswordHash::new(stored).ok()?;
    Algorithm::new(hash.algorithm.as_str()).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let affordable = params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES;
    let complete = hash.salt.is_some() && hash.hash.is_some();
    (affordable && complete).then_some((hash, params))
}

fn verify_bcrypt(password: &str, stored: &str) -> Verdict {
    if bcrypt_cost(stored).is_none() {
        return Verdict::Wrong;
    }
    match bcrypt::verify(password, stored) {
        Ok(true) => Verdict::RightButOutdated,
        Ok(false) | Err(_) => Verdict::Wrong,
    }
}

/// The cost of a bcrypt hash (`$2b$10$…`) that is affordable to check.
fn bcrypt_cost(stored: &str) -> Option<u32> {
    let parts: bcrypt::HashParts = stored.parse().ok()?;
    (4..=MAX_BCRYPT_COST)
        .contains(&parts.get_cost())
        .then_some(parts.get_cost())
}

#[cfg(test)]
mod tests {
    use common::SystemRandomness;

    use super::*;

    #[test]
    fn a_hash_is_argon2id_of_at_least_46_mib() {
        let stored = hash("correct horse", &SystemRandomness).expect("hashed");
        assert!(
            stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"),
            "{stored}"
        );
        assert_eq!(verify("correct horse", &stored), Verdict::Right);
        assert_eq!(verify("correct house", &stored), Verdict::Wrong);
    }

    #[test]
    fn the_decoy_costs_what_a_hash_of_ours_costs() {
        let ours = hash("correct horse", &SystemRandomness).expect("hashed");
        let (_, ours) = parse_argon2(&ours).expect("a hash");
        let (_, decoy) = parse_argon2(DECOY).expect("a hash");
        assert_eq!(ours.m_cost(), decoy.m_cost());
        assert_eq!(ours.t_cost(), decoy.t_cost());
        assert_eq!(ours.p_cost(), decoy.p_cost());
        assert_eq!(verify("correct horse", DECOY), Verdict::Wrong);
    }

    #[test]
    fn bcrypt_and_weaker_argon2_are_accepted_and_outdated() {
        // What libxcrypt's `crypt()` makes, as pgcrypto's does with `gen_salt('bf')`.
        let crypt = "$2a$06$abcdefghijklmnopqrstuug1SShOxBTYRY0UxAnX0odLG3Duiwh3q";
        assert_eq!(verify("hunter22", crypt), Verdict::RightButOutdated);
        assert_eq!(verify("hunter23", crypt), Verdict::Wrong);
        let made = bcrypt::hash("hunter22", 4).expect("hashed");
        assert_eq!(verify("hunter22", &made), Verdict::RightButOutdated);
        assert_eq!(verify("hunter23", &made), Verdict::Wrong);
    }

    #[test]
    fn what_costs_too_much_or_is_no_hash_is_refused() {
        let costly = "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$\
            jQ8Gt3aOaFbWnHWgXJXtv2gM8mE0Wm9yAQ6zJc6O5Xo";
        let cases = [
            costly,
            "$2b$20$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.2",
            "",
            "plain",
            "$1$abcdefgh$abcdefghijklmnopqrstuv",
            "$argon2id$",
        ];
        for stored in cases {
            assert!(!is_supported(stored), "{stored}");
            assert_eq!(verify("plain", stored), Verdict::Wrong, "{stored}");
        }
    }
}
