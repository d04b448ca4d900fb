//! The server's own log lines, passed on into ours.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStderr;

const KEPT: usize = 12;

/// The last lines, for the message of a start that failed.
#[derive(Debug, Clone, Default)]
pub(super) struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        lines.join(" | ")
    }
}

/// Reads `stderr` until it closes: the process and all its children have ended.
pub(super) async fn forward(stderr: ChildStderr, tail: LogTail) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        emit(&line);
        tail.push(line);
    }
}

fn emit(line: &str) {
    if line.contains(" PANIC: ") {
        tracing::error!(target: "postgres", "{line}");
    } else if line.contains(" FATAL: ") || line.contains(" WARNING: ") {
        tracing::warn!(target: "postgres", "{line}");
    } else {
        tracing::debug!(target: "postgres", "{line}");
    }
}
