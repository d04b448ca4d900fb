//! What functions print, as log lines. A function that prints faster than it may is slowed down by
//! its own pipe: nothing is lost, and nobody else notices.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::domain::{FunctionName, Version, VersionId};

/// The rest of a longer line is cut off.
const MAX_LINE_BYTES: usize = 8 * 1024;
const MAX_LINES_PER_SECOND: u32 = 1_000;
const CHUNK_BYTES: usize = 4 * 1024;

/// Which function a process is, once it is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Label(Arc<OnceLock<(FunctionName, VersionId)>>);

impl Label {
    pub(super) fn set(&self, version: &Version) {
        let _ = self.0.set((version.function.clone(), version.id.clone()));
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.get().is_some()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            Some((name, id)) => write!(f, "{name}@{id}"),
            None => f.write_str("-"),
        }
    }
}

/// Logs what is printed on standard output, after the line `ready`, which is answered through
/// `ready`.
pub(super) async fn copy_output(
    output: impl AsyncRead + Unpin,
    label: Label,
    ready: oneshot::Sender<()>,
) {
    let mut ready = Some(ready);
    let line = |text: &str| match ready.take() {
        Some(waiting) if text == "ready" => {
            let _ = waiting.send(());
        }
        Some(_) | None => tracing::info!(function = %label, stream = "stdout", "{text}"),
    };
    copy_lines(output, line).await;
}

/// Logs what is printed on standard error.
pub(super) async fn copy_errors(errors: impl AsyncRead + Unpin, label: Label) {
    let line = |text: &str| tracing::warn!(function = %label, stream = "stderr", "{text}");
    copy_lines(errors, line).await;
}

async fn copy_lines(mut source: impl AsyncRead + Unpin, mut line: impl FnMut(&str)) {
    let mut pending = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut pace = Pace::new();
    while let Ok(length @ 1..) = source.read(&mut chunk).await {
        for piece in chunk
            .get(..length)
            .unwrap_or_default()
            .split_inclusive(|byte| *byte == b'\n')
        {
            let ends = piece.ends_with(b"\n");
            let room = MAX_LINE_BYTES.saturating_sub(pending.len());
            pending.extend(
                piece
                    .iter()
                    .copied()
                    .filter(|byte| *byte != b'\n')
                    .take(room),
            );
            if ends {
                line(&String::from_utf8_lossy(&pending));
                pending.clear();
                pace.step().await;
            }
        }
    }
    if !pending.is_empty() {
        line(&String::from_utf8_lossy(&pending));
    }
}

struct Pace {
    second: Instant,
    lines: u32,
}

impl Pace {
    fn new() -> Self {
        Self {
            second: Instant::now(),
            lines: 0,
        }
    }

    /// Counts a line; waits for the next second where this one has had its share.
    async fn step(&mut self) {
        self.lines += 1;
        let next = self.second + Duration::from_secs(1);
        if self.lines >= MAX_LINES_PER_SECOND {
            tokio::time::sleep_until(next).await;
        }
        if Instant::now() >= next {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        copy_lines(text.as_bytes(), |line| lines.push(line.to_owned())).await;
        lines
    }

    #[tokio::test]
    async fn lines_are_split_and_long_ones_cut() {
        assert_eq!(lines("one\n\ntwo").await, ["one", "", "two"]);
        let long = "x".repeat(MAX_LINE_BYTES * 3);
        let cut = lines(&format!("{long}\nnext\n")).await;
        assert_eq!(cut[0].len(), MAX_LINE_BYTES);
        assert_eq!(cut[1], "next");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_slowed_down() {
        let started = Instant::now();
        let flood = "x\n".repeat(3_000);
        assert_eq!(lines(&flood).await.len(), 3_000);
        assert!(started.elapsed() >= Duration::from_secs(2));
    }
}
