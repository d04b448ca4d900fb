//! What is common to errors before each service writes them in its own wire dialect.

use std::error::Error;
use std::fmt::Write as _;

/// An error of any kind, for composition roots and tasks.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// `error` and all its sources in one line, for the log.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            let _ = write!(line, ": {text}");
        }
        source = cause.source();
    }
    line
}

/// Logs a fault of ours once, at the boundary, with its whole chain.
pub fn report(service: &'static str, error: &dyn Error) {
    tracing::error!(service, error = %chain(error), "request failed");
}
