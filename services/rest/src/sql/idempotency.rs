//! What is said to the keeper of answers. It listens to the login, not to the role taken on.

use super::Sql;
use crate::idempotency::{Claim, KeptAnswer};

/// Leaves the caller's role for the login's own rights, until the next statement takes one on.
pub(crate) fn as_login() -> Sql {
    let mut sql = Sql::default();
    sql.push("select set_config('role', 'none', true)");
    sql
}

/// Takes a key: `state, status, headers, body`.
pub(crate) fn take(claim: &Claim) -> Sql {
    let mut sql = Sql::default();
    sql.push("select state, status, headers, body from selfdb.take_idempotency_key(");
    sql.bind(claim.id.as_str()).push(", ");
    sql.bind(claim.request.as_str()).push(")");
    sql
}

/// Keeps an answer for so many seconds.
pub(crate) fn keep(claim: &Claim, answer: &KeptAnswer, seconds: u64) -> Sql {
    let headers = serde_json::json!(answer.headers).to_string();
    let mut sql = Sql::default();
    sql.push("select selfdb.keep_idempotent_answer(");
    sql.bind(claim.id.as_str()).push(", ");
    sql.bind(claim.request.as_str()).push(", ");
    sql.bind(answer.status.to_string()).push("::smallint, ");
    sql.bind(headers).push("::jsonb, ");
    sql.bind(answer.body_text()).push(", ");
    sql.bind(seconds.to_string()).push("::bigint)");
    sql
}
