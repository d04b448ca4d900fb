//! Structured logs on standard error, one line an event.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::Settings;

/// How this process logs.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    filter: String,
    json: bool,
}

/// Libraries that log requests with all their headers, and every refusal as an error of ours.
const QUIET: &str = "s3s=off";

impl TelemetryConfig {
    /// `LOG_LEVEL` (a level or a tracing filter; default `info`) and `LOG_FORMAT` (`json`, the
    /// default where standard error is no terminal, or `text`).
    pub fn from_settings(settings: &Settings<'_>) -> Self {
        let filter = settings.text_or("LOG_LEVEL", "info");
        if EnvFilter::try_new(&filter).is_err() {
            settings.reject(
                "LOG_LEVEL",
                "is no level: use error, warn, info, debug or trace",
            );
        }
        let json = match settings.text("LOG_FORMAT").as_deref() {
            None => !std::io::stderr().is_terminal(),
            Some("json") => true,
            Some("text") => false,
            Some(_) => {
                settings.reject("LOG_FORMAT", "is not known: use json or text");
                true
            }
        };
        Self { filter, json }
    }

    /// Text for people, by a tracing filter: `error,selfdb=info`.
    pub fn plain(filter: impl Into<String>) -> Self {
        Self {
            filter: filter.into(),
            json: false,
        }
    }

    /// Starts logging; a second call in one process does nothing.
    pub fn install(&self) {
        let filter = format!("{QUIET},{}", self.filter);
        let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
        let registry = tracing_subscriber::registry().with(filter);
        let started = if self.json {
            let layer = fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(std::io::stderr);
            registry.with(layer).try_init()
        } else {
            registry
                .with(fmt::layer().with_writer(std::io::stderr))
                .try_init()
        };
        if started.is_err() {
            tracing::debug!("telemetry was installed before");
        }
    }
}
