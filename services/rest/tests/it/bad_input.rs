//! What no client should send: each is a clear 4xx, nothing is changed, and no memory is kept.

#![expect(
    clippy::expect_used,
    reason = "a test stops where its ground gives way"
)]

mod bodies;
mod filters;
mod hidden_columns;
mod sizes;
mod urls;

use http::StatusCode;

/// Fails with all of what was answered otherwise.
fn assert_refused(answers: &[(String, StatusCode)]) {
    let wrong: Vec<_> = answers
        .iter()
        .filter(|(_, status)| !status.is_client_error())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Fails with all of what was the server's fault.
fn assert_no_fault(answers: &[(String, StatusCode)]) {
    let wrong: Vec<_> = answers
        .iter()
        .filter(|(_, status)| status.is_server_error())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
