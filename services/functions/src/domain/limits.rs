//! What one function may take.

use std::time::Duration;

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
    /// Requests one function works on at a time; further ones wait.
    pub(crate) concurrency: usize,
    /// The largest request body, in bytes.
    pub(crate) body_bytes: usize,
    /// Lines of log that are kept, a second.
    pub(crate) log_lines_per_second: u32,
    /// How long a function's process is kept without a request.
    pub(crate) idle: Duration,
}
