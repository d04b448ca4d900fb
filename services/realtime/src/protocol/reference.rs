//! The `ref` and `join_ref` of messages: chosen by the client, echoed as they came.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A reference as JSON text: a string or a number. Clients of some languages send numbers and
/// compare what comes back by type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(Arc<str>);

impl Reference {
    /// The reference whose text is `text`, as binary frames carry it; `None` where it is empty.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(Self(serde_json::Value::from(text).to_string().into()))
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let scalar = |byte: u8| byte == b'"' || byte == b'-' || byte.is_ascii_digit();
        if raw.get().bytes().next().is_some_and(scalar) {
            Ok(Self(raw.get().into()))
        } else {
            Err(D::Error::custom("a reference is a string or a number"))
        }
    }
}
