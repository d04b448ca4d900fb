//! A function, as it is shown.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::FunctionName;
use crate::domain::diagnostic::Diagnostic;
use crate::routes::AppState;
use crate::store::functions::FunctionRow;

#[derive(Serialize)]
pub(in crate::routes::api) struct FunctionResponse {
    id: Uuid,
    name: String,
    description: String,
    /// Whether it may be called.
    is_active: bool,
    /// Whether a caller must show a token.
    verify_jwt: bool,
    /// The number of the version that serves.
    version: i32,
    hash: String,
    /// The module that is imported.
    entry: String,
    /// `folder` or `api`.
    origin: String,
    /// Whether a process serves it now.
    running: bool,
    /// Why its version does not start, as far as that was tried.
    error: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// The text of the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// What is not quite right with the code that was just deployed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl FunctionResponse {
    pub(super) fn new(state: &AppState, row: FunctionRow) -> Self {
        let function = FunctionName::parse(&row.name).and_then(|name| state.catalog.find(&name));
        let status = function.as_ref().map(|function| function.status());
        let verify_jwt = function.as_ref().map(|function| function.verifies_jwt());
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            is_active: row.is_active,
            verify_jwt: verify_jwt.or(row.verify_jwt).unwrap_or(true),
            version: row.version,
            hash: row.hash,
            entry: row.entry,
            origin: row.origin,
            running: status.as_ref().is_some_and(|status| status.running),
            error: status.and_then(|status| Some(status.error?.to_string())),
            created_at: row.created_at,
            updated_at: row.updated_at,
            code: None,
            diagnostics: Vec::new(),
        }
    }
}
