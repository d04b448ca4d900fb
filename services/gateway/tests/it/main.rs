//! The gateway behind a real listener, in front of services in its own process and elsewhere.
#![cfg(test)]

mod bodies;
mod cors;
mod echo;
mod failures;
mod forwarding;
mod keep_alive;
mod logging;
mod matrix;
mod pages;
mod smuggling;
mod sockets;
mod stage;
