//! What holds for the transaction of a request.

use common::Settings;
use pg::RoleRules;

use crate::request::preferences::{TransactionChoice, TransactionEnd};

const END: &str = "PGRST_DB_TX_END";
/// Settings of functions that hold for the whole request.
const HOISTED: [&str; 3] = [
    "statement_timeout",
    "plan_filter.statement_cost_limit",
    "default_transaction_isolation",
];

/// What holds for the transaction of a request.
#[derive(Debug, Clone)]
pub(crate) struct TransactionSettings {
    /// How it ends, unless the client may choose and does.
    pub end: TransactionEnd,
    pub choice: TransactionChoice,
    /// Which settings of a called function hold for all of it.
    pub hoisted: Vec<String>,
    /// `app.settings.…` and their values.
    pub app_settings: Vec<(String, String)>,
}

impl TransactionSettings {
    pub(super) fn read(settings: &Settings<'_>, rules: RoleRules) -> Self {
        let (end, choice) = end(settings, rules);
        let mut hoisted = settings.list("PGRST_DB_HOISTED_TX_SETTINGS");
        if hoisted.is_empty() {
            hoisted = HOISTED.map(str::to_owned).to_vec();
        }
        Self {
            end,
            choice,
            hoisted,
            app_settings: Vec::new(),
        }
    }
}

fn end(settings: &Settings<'_>, rules: RoleRules) -> (TransactionEnd, TransactionChoice) {
    let default = match rules {
        RoleRules::Platform => "commit-allow-override",
        RoleRules::Operator => "commit",
    };
    match settings.text_or(END, default).as_str() {
        "commit" => (TransactionEnd::Commit, TransactionChoice::Server),
        "commit-allow-override" => (TransactionEnd::Commit, TransactionChoice::Client),
        "rollback" => (TransactionEnd::Rollback, TransactionChoice::Server),
        "rollback-allow-override" => (TransactionEnd::Rollback, TransactionChoice::Client),
        _ => {
            let known = "is not known: use commit, commit-allow-override, rollback or \
                         rollback-allow-override";
            settings.reject(END, known);
            (TransactionEnd::Rollback, TransactionChoice::Server)
        }
    }
}
