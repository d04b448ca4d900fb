//! Tokens as attackers and other tools make them.
#![cfg(test)]

mod any;
mod api_keys;
mod attacks;
mod cache;
mod forge;
mod genuine;
mod keys;
mod postgrest;
mod signing_keys;
