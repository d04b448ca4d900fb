//! The auth service on a real Postgres, asked as clients ask it.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on must stop, with the reason"
)]

mod absent;
mod access;
mod admin;
mod admin_links;
mod authenticator;
mod bodies;
mod bootstrap;
mod cluster;
mod external;
mod factors;
mod hooks;
mod imports;
mod keys;
mod kills;
mod letters;
mod limits;
mod links;
mod matrix;
mod openapi;
mod pace;
mod passkeys;
mod peer;
mod phones;
mod pkce;
mod post_office;
mod provider;
mod readme;
mod refresh;
mod refresh_parallel;
mod selfdb_auth;
mod selfdb_users;
mod sign_in;
mod sign_out;
mod sign_up;
mod support;
mod sweep;
mod user;
mod well_known;
