#![no_main]
//! A query string, read as a table's and as a function's, up to the SQL it becomes.

libfuzzer_sys::fuzz_target!(|query: &str| rest::fuzzing::query(query));
