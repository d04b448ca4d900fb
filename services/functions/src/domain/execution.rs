//! One invocation of a function, and what it printed, as they are recorded.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{FunctionName, VersionId};

/// What made a function run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TriggerKind {
    Http,
    Schedule,
    Database,
    Event,
    Webhook,
    Once,
}

impl TriggerKind {
    /// As it is stored, and told to functions.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Schedule => "schedule",
            Self::Database => "database",
            Self::Event => "event",
            Self::Webhook => "webhook",
            Self::Once => "once",
        }
    }
}

/// Why a function is invoked.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) trigger: TriggerKind,
    /// The event behind it: the same at every try.
    pub(crate) event: Option<Uuid>,
    /// The schedule, table, event or webhook.
    pub(crate) source: Option<String>,
}

impl Cause {
    /// A client's request.
    pub(crate) const HTTP: Self = Self {
        trigger: TriggerKind::Http,
        event: None,
        source: None,
    };
}

/// What an invocation used of its process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time; what several invocations used at once is split evenly among them.
    pub(crate) cpu: Option<Duration>,
    /// Resident memory of the process when the invocation ended, in bytes.
    pub(crate) memory_bytes: Option<u64>,
}

/// An invocation that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) id: Uuid,
    pub(crate) function: FunctionName,
    pub(crate) version: VersionId,
    pub(crate) cause: Cause,
    pub(crate) method: String,
    /// The status that was answered, by the function or in its place.
    pub(crate) status: Option<u16>,
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<String>,
    /// Whether a process had to be started for it.
    pub(crate) cold: bool,
    pub(crate) started_at: OffsetDateTime,
    /// To the last piece of the answer.
    pub(crate) duration: Duration,
    pub(crate) usage: Usage,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The function answered with a status below 500.
    Answered,
    /// It answered with 500 or above.
    Error,
    /// The platform answered in its place.
    Failed,
    /// The answer was not read to its end.
    Interrupted,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The level of Deno's console: 0 to 3.
    pub(crate) fn of_console(number: u8) -> Self {
        match number {
            0 => Self::Debug,
            1 => Self::Info,
            2 => Self::Warn,
            _ => Self::Error,
        }
    }
}

/// Something a function printed.
#[derive(Debug, Clone)]
pub(crate) struct LogLine {
    pub(crate) function: FunctionName,
    pub(crate) version: VersionId,
    /// `None` where it was printed outside of any invocation.
    pub(crate) execution: Option<Uuid>,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) at: OffsetDateTime,
}
