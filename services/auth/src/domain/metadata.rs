//! The JSON objects a user carries: `app_metadata` (the server's word) and `user_metadata` (the
//! user's own).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Both objects of one user together, as JSON, in bytes. They travel in every access token, and
/// the platform reads no token over 16 KiB.
const MAX_BYTES: usize = 10 * 1024;

/// A JSON object that is changed key by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(pub Map<String, Value>);

/// Metadata that would make a user's tokens too long to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("user_metadata and app_metadata together may not be longer than {MAX_BYTES} bytes")]
pub struct MetadataTooLong;

impl Metadata {
    /// Sets each key of `changes`; a key whose new value is null is removed.
    pub fn merge(&mut self, changes: Self) {
        for (key, value) in changes.0 {
            if value.is_null() {
                self.0.shift_remove(&key);
            } else {
                self.0.insert(key, value);
            }
        }
    }

    /// Sets one key.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// The value of one key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// This object as a JSON value.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    fn json_bytes(&self) -> usize {
        self.to_value().to_string().len()
    }
}

/// Checks that a user with these two objects can still sign in.
pub fn check_size(app: &Metadata, user: &Metadata) -> Result<(), MetadataTooLong> {
    if app.json_bytes() + user.json_bytes() > MAX_BYTES {
        return Err(MetadataTooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: &Value) -> Metadata {
        serde_json::from_value(value.clone()).expect("an object")
    }

    #[test]
    fn merging_sets_keeps_and_removes() {
        let mut held = metadata(&json!({"name": "Ada", "plan": "free", "nested": {"a": 1}}));
        held.merge(metadata(
            &json!({"plan": null, "nested": {"b": 2}, "new": false}),
        ));
        assert_eq!(
            held.to_value(),
            json!({"name": "Ada", "nested": {"b": 2}, "new": false})
        );
    }

    #[test]
    fn what_no_token_could_carry_is_refused() {
        let small = metadata(&json!({"name": "Ada"}));
        let large = metadata(&json!({"bio": "x".repeat(10 * 1024)}));
        assert_eq!(check_size(&small, &small), Ok(()));
        assert_eq!(check_size(&small, &large), Err(MetadataTooLong));
        assert_eq!(check_size(&large, &small), Err(MetadataTooLong));
    }
}
