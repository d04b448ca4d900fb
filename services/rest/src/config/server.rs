//! What answers carry besides what was asked for, and what the log says of requests.

use common::Settings;
use http::{HeaderName, HeaderValue};

const LOG_QUERY: &str = "PGRST_LOG_QUERY";
const TRACE: &str = "PGRST_SERVER_TRACE_HEADER";
const ORIGINS: &str = "PGRST_SERVER_CORS_ALLOWED_ORIGINS";

/// What answers carry besides what was asked for, and what the log says of requests.
#[derive(Debug, Clone)]
pub(crate) struct ServerSettings {
    pub timing: Timing,
    /// The header that an answer repeats from its request.
    pub trace_header: Option<HeaderName>,
    /// The origins whose pages may call this API; every one where `None`.
    pub origins: Option<Vec<HeaderValue>>,
    pub query_log: QueryLog,
}

/// Whether an answer says how long its stages took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    Told,
    Untold,
}

/// Whether the statement of a logged request is logged too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryLog {
    Main,
    Disabled,
}

impl ServerSettings {
    pub(super) fn read(settings: &Settings<'_>) -> Self {
        let timing = if settings.flag("PGRST_SERVER_TIMING_ENABLED", false) {
            Timing::Told
        } else {
            Timing::Untold
        };
        Self {
            timing,
            trace_header: settings.parsed(TRACE),
            origins: origins(settings),
            query_log: query_log(settings),
        }
    }
}

fn origins(settings: &Settings<'_>) -> Option<Vec<HeaderValue>> {
    let origins = settings.list(ORIGINS);
    let values: Result<Vec<HeaderValue>, _> = origins.iter().map(|origin| origin.parse()).collect();
    let Ok(values) = values else {
        settings.reject(ORIGINS, "has an origin that no header can carry");
        return None;
    };
    Some(values).filter(|values| !values.is_empty())
}

fn query_log(settings: &Settings<'_>) -> QueryLog {
    match settings.text(LOG_QUERY).as_deref() {
        Some("main-query" | "true") => QueryLog::Main,
        None | Some("disabled" | "false") => QueryLog::Disabled,
        Some(_) => {
            settings.reject(LOG_QUERY, "is not known: use true or false");
            QueryLog::Disabled
        }
    }
}
