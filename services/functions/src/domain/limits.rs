//! What one function may take.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::egress::Egress;

/// What a version says of its own limits, in its `deno.json`: `{"selfdb": {"limits": {…}}}`. What it
/// leaves out is as for every function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnLimits {
    timeout_seconds: Option<NonZeroU32>,
    boot_seconds: Option<NonZeroU32>,
    cpu_seconds: Option<NonZeroU32>,
    memory_mb: Option<NonZeroU32>,
    concurrency: Option<NonZeroU32>,
    body_bytes: Option<NonZeroU64>,
    log_rate: Option<NonZeroU32>,
    idle_seconds: Option<NonZeroU32>,
    processes: Option<NonZeroU32>,
    egress: Option<Egress>,
}

impl OwnLimits {
    /// Of the text of the `deno.json` at `path`; the error is for its author, with the place in a
    /// line of its own, as Deno tells it.
    pub(crate) fn read(path: &Path, text: &[u8]) -> Result<Self, String> {
        #[derive(Default, Deserialize)]
        struct File {
            selfdb: Option<Own>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Own {
            #[serde(default)]
            limits: OwnLimits,
        }
        let is_named = text.windows(8).any(|window| window == b"\"selfdb\"");
        if !is_named {
            // Deno reads comments in there, and says itself what it cannot read.
            return Ok(Self::default());
        }
        let file: File = serde_json::from_slice(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let said = error.to_string();
            let place = format!(" at line {line} column {column}");
            let said = said.strip_suffix(&place).unwrap_or(&said);
            let path = path.display();
            format!("the limits in deno.json cannot be read: {said}\n    at {path}:{line}:{column}")
        })?;
        Ok(file.selfdb.map(|own| own.limits).unwrap_or_default())
    }

    /// Whom it may connect to, where it says so.
    pub(crate) fn egress(&self) -> Option<&Egress> {
        self.egress.as_ref()
    }

    /// These where they say something, else those of `all`.
    pub(crate) fn over(&self, all: Limits) -> Limits {
        const MIB: u64 = 1024 * 1024;
        let seconds = |own: Option<NonZeroU32>, all| {
            own.map_or(all, |own| Duration::from_secs(u64::from(own.get())))
        };
        let count = |own: Option<NonZeroU32>| own.and_then(|own| usize::try_from(own.get()).ok());
        let body = self.body_bytes;
        let body = body.and_then(|bytes| usize::try_from(bytes.get()).ok());
        let memory = self.memory_mb.map(|mb| u64::from(mb.get()) * MIB);
        Limits {
            response_timeout: seconds(self.timeout_seconds, all.response_timeout),
            boot_timeout: seconds(self.boot_seconds, all.boot_timeout),
            cpu: seconds(self.cpu_seconds, all.cpu),
            memory_bytes: memory.unwrap_or(all.memory_bytes),
            concurrency: count(self.concurrency).unwrap_or(all.concurrency),
            body_bytes: body.unwrap_or(all.body_bytes),
            log_lines_per_second: self
                .log_rate
                .map_or(all.log_lines_per_second, NonZeroU32::get),
            idle: seconds(self.idle_seconds, all.idle),
            processes: count(self.processes).unwrap_or(all.processes),
        }
    }
}

/// The limits of every function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From a request to its response's head, and between two pieces of its body; also how long a
    /// replaced version may go on with what it has begun.
    pub(crate) response_timeout: Duration,
    /// How long a module may take to load.
    pub(crate) boot_timeout: Duration,
    /// CPU time of the process between two finished requests.
    pub(crate) cpu: Duration,
    /// What the process may allocate beyond what the runtime itself needs, in bytes.
    pub(crate) memory_bytes: u64,
    /// Requests one process works on at a time; further ones wait.
    pub(crate) concurrency: usize,
    /// The largest request body, in bytes.
    pub(crate) body_bytes: usize,
    /// Lines of log that are kept, a second.
    pub(crate) log_lines_per_second: u32,
    /// How long a function's process is kept without a request.
    pub(crate) idle: Duration,
    /// Processes of one version at most; more than one run while one is not enough.
    pub(crate) processes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_of_its_limits_what_differs() {
        let read = |text: &str| OwnLimits::read(Path::new("a/deno.json"), text.as_bytes());
        let own = read(
            r#"{ "imports": {}, "selfdb": { "limits": { "memory_mb": 64, "cpu_seconds": 1 } } }"#,
        );
        let own = own.expect("limits");
        assert_eq!(own.memory_mb, NonZeroU32::new(64));
        assert_eq!(own.timeout_seconds, None);
        for nothing in [
            "{}",
            "{ // a comment\n }",
            r#"{ "selfdb": {} }"#,
            "nonsense",
        ] {
            assert_eq!(read(nothing), Ok(OwnLimits::default()), "{nothing}");
        }
        for bad in [
            r#"{ "selfdb": { "limits": { "memory_mb": 0 } } }"#,
            r#"{ "selfdb": { "limits": { "memory_mb": -1 } } }"#,
            r#"{ "selfdb": { "limits": { "memory_mb": "much" } } }"#,
            r#"{ "selfdb": { "limits": { "memory": 64 } } }"#,
            r#"{ "selfdb": { "limit": {} } }"#,
            r#"{ "selfdb": 7 }"#,
        ] {
            let refused = read(bad).expect_err(bad);
            assert!(refused.starts_with("the limits in deno.json"), "{refused}");
        }
        let refused = read("{ \"selfdb\": { \"limits\": {\n  \"egress\": [\"a b\"] } } }");
        let refused = refused.expect_err("no name");
        assert!(
            refused.contains("\"a b\" is nothing to connect to"),
            "{refused}"
        );
        assert!(refused.contains("\n    at a/deno.json:2:"), "{refused}");
    }
}
