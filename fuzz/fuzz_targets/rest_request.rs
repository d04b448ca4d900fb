#![no_main]
//! Method, query, `Accept`, `Prefer`, `Content-Type` and `Range` a line each, then a body.

libfuzzer_sys::fuzz_target!(|data: &[u8]| rest::fuzzing::request(data));
