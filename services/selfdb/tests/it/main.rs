//! The composition root's tests that need no running platform; `tests/acceptance` has the others.
#![cfg(test)]

mod architecture;
