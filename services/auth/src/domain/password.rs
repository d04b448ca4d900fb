//! Which passwords are accepted.

use serde::Serialize;

/// What bcrypt, the hash of accounts that come from elsewhere, would cut a password at. More is
/// refused, so that an account can move in both directions.
const MAX_BYTES: usize = 72;

/// The rules a new password is held to.
#[derive(Debug, Clone)]
pub struct PasswordRules {
    /// The fewest characters a password may have.
    pub min_length: usize,
    /// Sets of characters; a password has at least one of each.
    pub required_characters: Vec<String>,
}

/// Why a password is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// More than 72 bytes.
    #[error("Password cannot be longer than {MAX_BYTES} characters")]
    TooLong,
    /// It is against the rules.
    #[error("{}", .0.message)]
    Weak(WeakPassword),
}

/// What is weak about a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeakPassword {
    /// What to do about it, for people.
    pub message: String,
    /// Which rules it breaks: `length`, `characters`.
    pub reasons: Vec<&'static str>,
}

impl PasswordRules {
    /// Checks a password that somebody chose.
    pub fn check(&self, password: &str) -> Result<(), PasswordError> {
        if password.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        match self.weakness(password) {
            None => Ok(()),
            Some(weakness) => Err(PasswordError::Weak(weakness)),
        }
    }

    /// What is weak about `password` by today's rules, if anything is.
    pub fn weakness(&self, password: &str) -> Option<WeakPassword> {
        let mut messages = Vec::new();
        let mut reasons = Vec::new();
        if password.chars().count() < self.min_length {
            reasons.push("length");
            let min = self.min_length;
            messages.push(format!("Password should be at least {min} characters."));
        }
        let lacks = |set: &&String| !password.chars().any(|character| set.contains(character));
        if self.required_characters.iter().any(|set| lacks(&set)) {
            reasons.push("characters");
            let sets = self.required_characters.join(", ");
            messages.push(format!(
                "Password should contain at least one character of each: {sets}."
            ));
        }
        (!reasons.is_empty()).then(|| WeakPassword {
            message: messages.join(" "),
            reasons,
        })
    }
}

/// The character sets of `GOTRUE_PASSWORD_REQUIRED_CHARACTERS`: separated by colons, where `\:` is
/// a colon of a set.
pub fn character_sets(text: &str) -> Vec<String> {
    let mut sets = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&':') => {
                characters.next();
                if let Some(set) = sets.last_mut() {
                    set.push(':');
                }
            }
            ':' => sets.push(String::new()),
            other => {
                if let Some(set) = sets.last_mut() {
                    set.push(other);
                }
            }
        }
    }
    sets.retain(|set| !set.is_empty());
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> PasswordRules {
        PasswordRules {
            min_length: 8,
            required_characters: character_sets("abcdefghijklmnopqrstuvwxyz:0123456789:\\:;"),
        }
    }

    #[test]
    fn every_broken_rule_is_named() {
        let weakness = rules().weakness("AB").expect("weak");
        assert_eq!(weakness.reasons, ["length", "characters"]);
        assert!(weakness.message.contains("at least 8 characters"));
        assert_eq!(rules().check("abcdefg1:"), Ok(()));
        assert_eq!(rules().check("abcdefg1;"), Ok(()));
        assert!(rules().check("abcdefgh1").is_err());
    }

    #[test]
    fn length_counts_characters_and_its_upper_bound_bytes() {
        let rules = PasswordRules {
            min_length: 6,
            required_characters: Vec::new(),
        };
        assert_eq!(rules.check("пароль"), Ok(()));
        assert!(rules.check("парол").is_err());
        assert_eq!(rules.check(&"x".repeat(72)), Ok(()));
        assert_eq!(rules.check(&"x".repeat(73)), Err(PasswordError::TooLong));
    }
}
