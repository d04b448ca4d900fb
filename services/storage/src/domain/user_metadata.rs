//! What uploaders keep with their objects: a JSON object of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The longest user metadata, in bytes of JSON.
pub const MAX_BYTES: usize = 1024 * 1024;

/// User metadata that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUserMetadata {
    /// More than [`MAX_BYTES`].
    #[error("the metadata is too large")]
    TooLarge,
    /// Not base64 of a JSON object, or not a JSON object.
    #[error("the metadata is no JSON object")]
    Malformed,
}

/// The metadata of the form field `metadata`: a JSON object.
pub fn from_json(text: &str) -> Result<Map<String, Value>, InvalidUserMetadata> {
    if text.len() > MAX_BYTES {
        return Err(InvalidUserMetadata::TooLarge);
    }
    serde_json::from_str(text).map_err(|_| InvalidUserMetadata::Malformed)
}

/// The metadata of the header `x-metadata`: a JSON object in base64.
pub fn from_base64(text: &str) -> Result<Map<String, Value>, InvalidUserMetadata> {
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|_| InvalidUserMetadata::Malformed)?;
    let json = String::from_utf8(bytes).map_err(|_| InvalidUserMetadata::Malformed)?;
    from_json(&json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_object_is_kept_and_nothing_else() {
        let map = from_base64("eyJhIjoxfQ==").expect("{\"a\":1}");
        assert_eq!(map.get("a"), Some(&Value::from(1)));
        for text in ["[]", "1", "", "{", "\"a\""] {
            assert_eq!(
                from_json(text),
                Err(InvalidUserMetadata::Malformed),
                "{text}"
            );
        }
        assert_eq!(from_base64("{}"), Err(InvalidUserMetadata::Malformed));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES));
        assert_eq!(from_json(&long), Err(InvalidUserMetadata::TooLarge));
    }
}
