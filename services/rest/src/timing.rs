//! How long the stages of a request took, as the `Server-Timing` header tells it
//! (<https://www.w3.org/TR/server-timing/>).

use std::fmt::Write as _;
use std::time::Instant;

use http::{HeaderMap, HeaderValue};

use crate::config::Timing;

/// The stages so far; nothing is measured where nobody is told.
pub(crate) struct Stages {
    since: Option<Instant>,
    told: String,
}

impl Stages {
    pub(crate) fn begin(timing: Timing) -> Self {
        let since = match timing {
            Timing::Told => Some(Instant::now()),
            Timing::Untold => None,
        };
        Self {
            since,
            told: String::new(),
        }
    }

    /// Ends the stage `name`; the next one begins.
    pub(crate) fn end(&mut self, name: &'static str) {
        let Some(since) = &mut self.since else {
            return;
        };
        let now = Instant::now();
        let duration_ms = now.duration_since(*since).as_secs_f64() * 1000.0;
        *since = now;
        let separator = if self.told.is_empty() { "" } else { ", " };
        let _ = write!(self.told, "{separator}{name};dur={duration_ms:.3}");
    }

    /// Writes the header.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        if !self.told.is_empty()
            && let Ok(value) = HeaderValue::try_from(self.told)
        {
            headers.insert("server-timing", value);
        }
    }
}
