//! The policy of an S3 form: what whoever signed it lets a browser upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Why a form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyError {
    /// It cannot be read.
    Malformed,
    /// Past its end.
    Expired,
    /// A field is not as it must be, or of none is said that it may be there.
    Unmet,
    /// The signature is not of this policy.
    Signature,
}

/// A policy that can be read.
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    expiration: String,
    conditions: Vec<Value>,
}

impl Policy {
    /// The policy in the field `policy`.
    pub(super) fn read(field: &str) -> Result<Self, PolicyError> {
        let bytes = STANDARD.decode(field).map_err(|_| PolicyError::Malformed)?;
        serde_json::from_slice(&bytes).map_err(|_| PolicyError::Malformed)
    }

    /// Refuses a form, whose fields have lower-case names, that is not as the policy says.
    pub(super) fn check(
        &self,
        fields: &[(String, String)],
        now: OffsetDateTime,
    ) -> Result<(), PolicyError> {
        let ends = OffsetDateTime::parse(&self.expiration, &Rfc3339)
            .map_err(|_| PolicyError::Malformed)?;
        if ends <= now {
            return Err(PolicyError::Expired);
        }
        let value = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let mut named = Vec::new();
        for condition in &self.conditions {
            let (name, holds) = match condition {
                Value::Object(map) => {
                    let (name, wanted) = map.iter().next().ok_or(PolicyError::Malformed)?;
                    let name = name.to_ascii_lowercase();
                    let holds = Some(value(&name)) == wanted.as_str();
                    (name, holds)
                }
                Value::Array(parts) => match parts.as_slice() {
                    [Value::String(kind), Value::Number(_), Value::Number(_)]
                        if kind.eq_ignore_ascii_case("content-length-range") =>
                    {
                        continue;
                    }
                    [
                        Value::String(kind),
                        Value::String(name),
                        Value::String(wanted),
                    ] => {
                        let name = name.trim_start_matches('$').to_ascii_lowercase();
                        let holds = match kind.to_ascii_lowercase().as_str() {
                            "eq" => value(&name) == wanted,
                            "starts-with" => value(&name).starts_with(wanted),
                            _ => return Err(PolicyError::Malformed),
                        };
                        (name, holds)
                    }
                    _ => return Err(PolicyError::Malformed),
                },
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    return Err(PolicyError::Malformed);
                }
            };
            if !holds {
                return Err(PolicyError::Unmet);
            }
            named.push(name);
        }
        let free = |name: &str| {
            matches!(name, "policy" | "x-amz-signature" | "file" | "bucket")
                || name.starts_with("x-ignore-")
        };
        let unnamed = fields
            .iter()
            .any(|(name, _)| !free(name) && !named.contains(name));
        if unnamed {
            return Err(PolicyError::Unmet);
        }
        Ok(())
    }

    /// The least and the most bytes a file may have.
    pub(super) fn sizes(&self) -> Option<(u64, u64)> {
        self.conditions.iter().find_map(|condition| {
            let parts = condition.as_array()?;
            let kind = parts.first()?.as_str()?;
            if !kind.eq_ignore_ascii_case("content-length-range") {
                return None;
            }
            Some((parts.get(1)?.as_u64()?, parts.get(2)?.as_u64()?))
        })
    }
}

/// Who signed a form, and when: `key/20260801/region/s3/aws4_request`.
pub(super) struct Credential<'a> {
    pub(super) access_key: &'a str,
    date: &'a str,
    region: &'a str,
}

impl<'a> Credential<'a> {
    /// The credential in the field `x-amz-credential`.
    pub(super) fn read(field: &'a str) -> Option<Self> {
        let parts: Vec<&str> = field.split('/').collect();
        match parts.as_slice() {
            [access_key, date, region, "s3", "aws4_request"] => Some(Self {
                access_key,
                date,
                region,
            }),
            _ => None,
        }
    }

    /// Refuses a signature that is not of `policy` by the secret of this key.
    pub(super) fn check(
        &self,
        secret: &Secret,
        policy: &str,
        signature: &str,
    ) -> Result<(), PolicyError> {
        let first = format!("AWS4{}", secret.expose());
        let words = [self.date, self.region, "s3", "aws4_request", policy];
        let mut key = first.into_bytes();
        for word in words {
            key = sign(&key, word.as_bytes());
        }
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
        let digits = key.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let expected: String = digits.filter_map(digit).collect();
        if bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            Ok(())
        } else {
            Err(PolicyError::Signature)
        }
    }
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mac| mac.chain_update(message).finalize().into_bytes().to_vec(),
    )
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn policy(conditions: &str) -> Policy {
        let text = format!(r#"{{"expiration":"2026-08-01T00:00:00Z","conditions":{conditions}}}"#);
        Policy::read(&STANDARD.encode(text)).expect("a policy")
    }

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn every_field_is_as_the_policy_says() {
        let policy = policy(r#"[{"bucket":"b"},["starts-with","$key","a/"],["eq","$acl","x"]]"#);
        let now = datetime!(2026-07-31 0:00 UTC);
        let table = [
            (
                fields(&[("bucket", "b"), ("key", "a/1"), ("acl", "x")]),
                Ok(()),
            ),
            (
                fields(&[("bucket", "c"), ("key", "a/1"), ("acl", "x")]),
                Err(PolicyError::Unmet),
            ),
            (
                fields(&[("bucket", "b"), ("key", "b/1"), ("acl", "x")]),
                Err(PolicyError::Unmet),
            ),
            (
                fields(&[("bucket", "b"), ("key", "a/1"), ("acl", "x"), ("more", "y")]),
                Err(PolicyError::Unmet),
            ),
        ];
        for (fields, expected) in table {
            assert_eq!(policy.check(&fields, now), expected, "{fields:?}");
        }
        let later = datetime!(2026-08-01 0:00 UTC);
        let whole = fields(&[("bucket", "b"), ("key", "a/1"), ("acl", "x")]);
        assert_eq!(policy.check(&whole, later), Err(PolicyError::Expired));
    }

    #[test]
    fn sizes_are_told() {
        assert_eq!(
            policy(r#"[["content-length-range",1,9]]"#).sizes(),
            Some((1, 9))
        );
        assert_eq!(policy("[]").sizes(), None);
    }
}
