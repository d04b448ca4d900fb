//! What is set for the transaction of a request besides its role and claims.

use std::time::Duration;

use pg::RoleRules;
use pg::pipeline::{Batch, Isolation};

use crate::access::Caller;
use crate::app::App;
use crate::plan::Plan;
use crate::request::ApiRequest;
use crate::schema_cache::SchemaCache;

const ISOLATION: &str = "default_transaction_isolation";
const TIMEOUT: &str = "statement_timeout";
/// How much longer than all its statements together a batch may take.
const GRACE: Duration = Duration::from_secs(5);
/// The statements of a batch, at most.
const STATEMENTS: u32 = 4;

/// `batch` with the settings of the application, of the role and then of the function that is
/// called; of these the later one holds.
pub(super) fn with_settings<'a>(
    mut batch: Batch<'a>,
    app: &'a App,
    cache: &'a SchemaCache,
    (caller, request): (&Caller, &ApiRequest),
    plan: &'a Plan,
) -> Batch<'a> {
    // What a function set for its whole session is not for the answer to somebody else.
    for name in ["response.headers", "response.status"] {
        batch = batch.with_setting(name, "");
    }
    let transaction = &app.config.transaction;
    let role = cache.role_settings.get(&caller.role).into_iter().flatten();
    let is_hoisted = |name: &String| transaction.hoisted.contains(name);
    let function = plan.settings.iter().filter(|(name, _)| is_hoisted(name));
    let app_settings = transaction.app_settings.iter();
    for (name, value) in app_settings.chain(role).chain(function) {
        if name == ISOLATION {
            batch = batch.with_isolation(isolation(value));
            continue;
        }
        if name == TIMEOUT && caller.rules == RoleRules::Operator {
            batch.deadline = deadline(value);
        }
        batch = batch.with_setting(name.as_str(), value.as_str());
    }
    if let Some(zone) = &request.preferences.timezone {
        batch = batch.with_setting("timezone", zone.clone());
    }
    let searched = std::iter::once(&request.schema).chain(&app.config.extra_search_path);
    let path = pg::search_path(searched.map(String::as_str));
    batch.with_setting("search_path", path)
}

fn isolation(name: &str) -> Isolation {
    match name.to_ascii_lowercase().as_str() {
        "repeatable read" => Isolation::RepeatableRead,
        "serializable" => Isolation::Serializable,
        _ => Isolation::ReadCommitted,
    }
}

/// When a batch whose statements have this limit is given up from this side: a server that does
/// not keep its own limit must not hold a connection for ever.
fn deadline(limit: &str) -> Option<Duration> {
    let limit = limit.trim();
    let end = limit.find(|character: char| !(character.is_ascii_digit() || character == '.'));
    let (number, unit) = limit.split_at(end.unwrap_or(limit.len()));
    let unit_seconds = match unit.trim() {
        "us" => 1e-6,
        "" | "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * unit_seconds;
    let limit = Duration::try_from_secs_f64(seconds).ok()?;
    let all = limit.checked_mul(STATEMENTS)?.checked_add(GRACE)?;
    (!limit.is_zero()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_postgres_writes_them() {
        for (limit, seconds) in [
            ("250", Some(6)),
            ("500ms", Some(7)),
            ("10s", Some(45)),
            ("1min", Some(245)),
            ("0", None),
            ("soon", None),
        ] {
            assert_eq!(
                deadline(limit).map(|limit| limit.as_secs()),
                seconds,
                "{limit}"
            );
        }
    }
}
