//! E-mail addresses as accounts are known by.

use std::fmt;

/// Longer addresses do not fit the column, nor an SMTP envelope.
const MAX_BYTES: usize = 255;
/// The longest label of a domain name (RFC 1035).
const MAX_LABEL_BYTES: usize = 63;

/// A valid e-mail address in lower case. Only ASCII: two addresses that look alike cannot both
/// exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing was given.
    #[error("An email address is required")]
    Missing,
    /// More than 255 bytes.
    #[error("An email address is too long")]
    TooLong,
    /// Not `local@domain` of the characters HTML's `input type=email` allows.
    #[error("Unable to validate email address: invalid format")]
    Format,
}

impl EmailAddress {
    /// Reads and normalises an address. The grammar is that of HTML's `input type=email`.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        if text.is_empty() {
            return Err(EmailError::Missing);
        }
        if text.len() > MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Format)?;
        let valid = !local.is_empty()
            && local.bytes().all(is_local_byte)
            && domain.split('.').all(is_label);
        if valid {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(EmailError::Format)
        }
    }

    /// The address, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_local_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lowered() {
        let parsed = EmailAddress::parse("Ada.Lovelace+x@Example.COM").expect("valid");
        assert_eq!(parsed.as_str(), "ada.lovelace+x@example.com");
        assert!(EmailAddress::parse("root@localhost").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let cases = [
            "ada",
            "@example.com",
            "ada@",
            "ada@example..com",
            "ada@-example.com",
            "ada@example-.com",
            "a b@example.com",
            "ada@exa mple.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "аda@example.com",
            "ada@exаmple.com",
            "ada@@example.com",
            " ada@example.com",
            "ada\0@example.com",
        ];
        for text in cases {
            assert_eq!(
                EmailAddress::parse(text),
                Err(EmailError::Format),
                "{text:?}"
            );
        }
        assert_eq!(EmailAddress::parse(""), Err(EmailError::Missing));
        let long = format!("{}@example.com", "a".repeat(250));
        assert_eq!(EmailAddress::parse(&long), Err(EmailError::TooLong));
    }
}
