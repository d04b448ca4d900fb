//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a write sent twice is applied
//! once. Pure: what a key is, whom it belongs to, and what is kept for it.

mod answer;
mod key;

pub(crate) use answer::KeptAnswer;
pub(crate) use key::{Claim, IdempotencyKey, digest};
