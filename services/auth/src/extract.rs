//! What handlers take from a request.

mod caller;
mod client;
mod json;
mod redirect;
mod unique_json;

pub(crate) use json::{JsonBody, body, parse};
pub(crate) use redirect::RedirectTo;
