//! The first statement of every batch: the request's role and settings, for this transaction
//! only.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::batch::{Access, Batch};
use crate::{RequestContext, RoleRules, roles};

/// How many settings a batch may add of its own.
pub(super) const MAX_SETTINGS: usize = 64;

/// The role comes last, so that nothing before it depends on what the role may do.
const FIRST: &str = "select set_config('request.jwt.claims', $1, true), \
     set_config('request.method', $2, true), \
     set_config('request.path', $3, true), \
     set_config('request.headers', $4, true), \
     set_config('request.cookies', $5, true), \
     set_config('statement_timeout', $6, true), ";
const READ_ONLY: &str = "set_config('transaction_read_only', 'on', true), ";
const ROLE: &str = "set_config('role', $7, true)";

/// The texts, by access and number of additional settings.
static TEXTS: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| ["", READ_ONLY].map(texts));

fn texts(access: &str) -> Vec<String> {
    let mut more = String::new();
    let mut texts = Vec::with_capacity(MAX_SETTINGS + 1);
    for count in 0..=MAX_SETTINGS {
        texts.push([FIRST, access, &more, ROLE].concat());
        let (name, value) = (8 + 2 * count, 9 + 2 * count);
        // What is so already is left alone: a `search_path` that is set anew has Postgres look up
        // its schemas again, for this batch and for the next.
        let _ = write!(
            more,
            "case when current_setting(${name}, true) is distinct from ${value} \
             then set_config(${name}, ${value}, true) end, "
        );
    }
    texts
}

/// The text for `batch`; `None` where it has more settings than [`MAX_SETTINGS`].
pub(super) fn sql(batch: &Batch<'_>) -> Option<&'static str> {
    let [read_write, read_only] = &*TEXTS;
    let texts = match batch.access {
        Access::ReadWrite => read_write,
        Access::ReadOnly => read_only,
    };
    texts.get(batch.settings.len()).map(String::as_str)
}

/// The time-out of one statement, in milliseconds; `None`, which resets it, for the login's own.
pub(super) fn statement_timeout(context: &RequestContext) -> Option<String> {
    let limit = context.statement_timeout.or(match context.rules {
        RoleRules::Platform => Some(roles::statement_timeout(&context.role)),
        RoleRules::Operator => None,
    });
    // 0 would mean that there is none.
    limit.map(|limit| limit.as_millis().max(1).to_string())
}

/// The values for the text, in order.
pub(super) fn values<'a>(
    context: &'a RequestContext,
    batch: &'a Batch<'_>,
    statement_timeout: Option<&'a str>,
) -> impl Iterator<Item = Option<&'a str>> {
    let fixed = [
        Some(&*context.claims),
        Some(&*context.method),
        Some(&*context.path),
        Some(&*context.headers),
        Some(&*context.cookies),
        statement_timeout,
        Some(&*context.role),
    ];
    let more = batch
        .settings
        .iter()
        .flat_map(|(name, value)| [&**name, &**value]);
    fixed.into_iter().chain(more.map(Some))
}
