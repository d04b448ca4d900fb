//! The platform's one public address: it finds the service a request is for, settles which key or
//! user asks, and hands the request on, in process or to another host.
//!
//! Read in this order: [`routes`] (what is served), [`exchange`] (what happens to a request, line
//! by line), [`layers`] (each of those lines), [`upstream`] (where requests go).

mod config;
mod exchange;
mod lane;
mod layers;
mod pages;
mod refusal;
mod routes;
mod service;
mod upstream;

pub use config::Config;
pub use upstream::{Upstream, Upstreams};
