//! Tests with a Postgres of their own: one that crashes, one that encrypts.

mod restart;
mod socket;
mod tls;
