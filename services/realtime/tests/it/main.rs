//! The realtime service on a real Postgres, spoken to over real sockets.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests end the test with what went wrong"
)]

mod broadcast;
mod changes;
mod client;
mod cluster;
mod events;
mod kills;
mod limits;
mod policies;
mod presence;
mod private;
mod protocol;
mod published;
mod random;
mod replay;
mod resume;
mod selfdb;
mod stage;
mod tokens;
