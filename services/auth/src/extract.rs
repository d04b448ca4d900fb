//! What handlers take from a request.

mod caller;
mod client;
mod json;
mod unique_json;

pub(crate) use json::{JsonBody, body, parse};
