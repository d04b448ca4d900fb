//! The binary alone on a plain database, as a user of `postgrest` starts it.
#![cfg(test)]

mod access;
mod configuration;
mod howtos;
mod operation;
mod server;
mod tutorials;
mod user_management;
