//! A function, as the management API shows it.

use serde::Serialize;
use uuid::Uuid;

use crate::domain::FunctionName;
use crate::routes::AppState;
use crate::store::functions::FunctionRow;

#[derive(Serialize)]
pub(super) struct FunctionResponse {
    id: Uuid,
    slug: String,
    name: String,
    /// `ACTIVE`, or `REMOVED` where it may not be called.
    status: &'static str,
    version: i32,
    /// Milliseconds since 1970.
    created_at: i64,
    updated_at: i64,
    verify_jwt: bool,
    import_map: bool,
    entrypoint_path: String,
    /// The hash of the version's files; the command line skips a deploy that changes nothing by it.
    ezbr_sha256: String,
}

impl FunctionResponse {
    pub(super) fn new(state: &AppState, row: FunctionRow) -> Self {
        let function = FunctionName::parse(&row.name).and_then(|name| state.catalog.find(&name));
        let verify_jwt = function.as_ref().map(|function| function.verifies_jwt());
        let milliseconds = |time: time::OffsetDateTime| {
            i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
        };
        Self {
            id: row.id,
            slug: row.name.clone(),
            name: row.name,
            status: if row.is_active { "ACTIVE" } else { "REMOVED" },
            version: row.version,
            created_at: milliseconds(row.created_at),
            updated_at: milliseconds(row.updated_at),
            verify_jwt: verify_jwt.or(row.verify_jwt).unwrap_or(true),
            import_map: function.is_some_and(|function| function.has_configuration()),
            entrypoint_path: row.entry,
            ezbr_sha256: row.hash,
        }
    }
}
