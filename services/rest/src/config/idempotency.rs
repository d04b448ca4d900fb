//! What is kept for an `Idempotency-Key`.

use std::time::Duration;

use common::Settings;

const EXPIRY: Duration = Duration::from_hours(24);
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Limits of what is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdempotencySettings {
    /// How long a key is remembered.
    pub expiry: Duration,
    /// The largest body of an answer that is kept.
    pub max_answer_bytes: usize,
}

impl IdempotencySettings {
    pub(super) fn read(settings: &Settings<'_>) -> Self {
        const BYTES: &str = "REST_IDEMPOTENCY_MAX_ANSWER_BYTES";
        Self {
            expiry: settings.seconds("REST_IDEMPOTENCY_EXPIRY", EXPIRY),
            max_answer_bytes: settings.parsed_or(BYTES, MAX_ANSWER_BYTES),
        }
    }
}
