//! Transactions of several operations.

use common::Settings;

const MAX_OPERATIONS: usize = 100;

/// Whether there are any, and how large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationSettings {
    /// Whether `POST /tx` is one, rather than an insert into a table called `tx`.
    pub enabled: bool,
    pub max_operations: usize,
}

impl OperationSettings {
    /// Where the service stands in for `PostgREST` it has no route of its own unless told.
    pub(super) fn read(settings: &Settings<'_>) -> Self {
        let is_alone = settings.text("PGRST_DB_URI").is_some();
        Self {
            enabled: settings.flag("REST_TRANSACTIONS", !is_alone),
            max_operations: settings.parsed_or("REST_TRANSACTION_OPERATIONS", MAX_OPERATIONS),
        }
    }
}
