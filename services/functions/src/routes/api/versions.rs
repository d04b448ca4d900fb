//! Versions of a function: immutable, with their code.

pub(super) mod diff;
pub(super) mod list;
pub(super) mod roll_back;
pub(super) mod show;

use bytes::Bytes;
use serde_json::{Value, json};

/// A file's content: text, or `{"base64": "…"}` as it is taken in.
fn content(bytes: &Bytes) -> Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}
