//! The composition root's tests that need no running platform; `tests/acceptance` has the others.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails, with the reason")]

mod architecture;
